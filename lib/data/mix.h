/* SPDX-License-Identifier: MIT
 * Mixing the samples of a batch two by two: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019),
 * as cnn/loader.h describes them to users.
 *
 * All numbers are drawn for the pair: each step gets weakly and strongly mixed samples, which small
 * batches with one share for all do not; and two samples are mixed where they lie, no matter what
 * the others do. */
#ifndef CNNI_MIX_H
#define CNNI_MIX_H

#include "base/base.h"

/* The alpha of each; 0: off. */
struct cnni_mix {
    double mixup, cutmix;
};

static inline bool cnni_mix_is_on(const struct cnni_mix *mix)
{
    return mix->mixup > 0 || mix->cutmix > 0;
}

/* A batch, and which one of all. */
struct cnni_mix_batch {
    float *samples;        /* [n][h][w][c] */
    float *shares;         /* [n][classes]: what there is of each class */
    const int32_t *labels; /* [n] */
    int64_t *partners;     /* [n], to work in */
    int64_t n, h, w, c;
    int64_t classes;
    uint64_t seed;
    int64_t epoch, index;
};

/* Mixes the samples and writes the shares.  The floating-point environment is the default one. */
void cnni_mix(const struct cnni_mix *mix, const struct cnni_mix_batch *batch);

#endif
