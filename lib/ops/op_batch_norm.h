/* SPDX-License-Identifier: MIT
 * Batch normalisation (Ioffe and Szegedy 2015) over pixels [pixels][channels], channel by channel:
 *   y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
 * with the sum with another array and the cut to low .. high that may stand behind it in the same
 * pass.  Sums run over blocks of 128 pixels in single precision and over the blocks, in their
 * order, in double. */
#ifndef CNNI_OP_BATCH_NORM_H
#define CNNI_OP_BATCH_NORM_H

#include "base/base.h"
#include "cnn/context.h"

/* Of all calls.  `scratch` is 64-byte aligned, of the size below. */
struct cnni_norm_call {
    cnn_context *context;
    int32_t lanes;
    int64_t pixels, channels;
    float low, high; /* -INFINITY and INFINITY: not cut */
    float *scratch;
};

/* In bytes; false where no size_t can hold them. */
bool cnni_norm_scratch_bytes(size_t *bytes, int64_t pixels, int64_t channels);

/* What forward finds for backward: [channels] each. */
struct cnni_norm_state {
    float *mean, *inverse; /* 1 / sqrt(variance + epsilon) */
    float *scale, *shift;  /* y = x * scale + shift */
    float *slope, *offset; /* made by backward: dx = dy * scale + (x - mean) * slope + offset */
};
enum { CNNI_NORM_ARRAYS = 6 };

/* The mean and the variance, the mean of (x - mean)^2, of the pixels: [channels] in the scratch. */
struct cnni_norm_moments {
    double *mean, *variance;
};
void cnni_norm_measure(const struct cnni_norm_call *call, struct cnni_norm_moments *moments,
                       const float *x);

/* The state for a channel's statistics; gamma and beta are its weight and bias. */
void cnni_norm_prepare(const struct cnni_norm_state *state, int64_t channel, double mean,
                       double variance, double epsilon, float gamma, float beta);

/* y = x * scale + shift, plus the addend where that is not NULL, cut; y may be x or the addend. */
void cnni_norm_forward(const struct cnni_norm_call *call, const struct cnni_norm_state *state,
                       float *y, const float *x, const float *addend);

/* From dy, the gradient by the output y: dgamma and dbeta += theirs, each of which may be NULL; dx,
 * unless that is NULL; and `daddend`, the gradient by the addend, unless that is NULL.  y may be
 * NULL where there was no addend.  dx and `daddend` may be dy, but not each other.
 * `measured`: the statistics were those of x, and their gradient goes through to it; else they are
 * constants. */
struct cnni_norm_gradients {
    float *dx, *daddend;
    float *dgamma, *dbeta;
    bool measured;
};
void cnni_norm_backward(const struct cnni_norm_call *call, const struct cnni_norm_state *state,
                        const struct cnni_norm_gradients *gradients, const float *dy,
                        const float *x, const float *y);

#endif
