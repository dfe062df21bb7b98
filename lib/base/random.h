/* SPDX-License-Identifier: MIT
 * Counter-based random numbers (Philox4x32-10: Salmon et al. 2011).  A number is a function of what
 * it is for: the seed, the purpose and two indices; nobody's order of calls changes another's. */
#ifndef CNNI_RANDOM_H
#define CNNI_RANDOM_H

#include "base/base.h"

/* What numbers are drawn for.  Values are pinned: they are part of "same seed, same result". */
enum {
    CNNI_RANDOM_WEIGHTS = 1,
    CNNI_RANDOM_DROPOUT = 2,
    CNNI_RANDOM_SHUFFLE = 3,
    CNNI_RANDOM_SPLIT = 4,
    CNNI_RANDOM_AUGMENT = 5,
    CNNI_RANDOM_CHECK = 6,
    CNNI_RANDOM_MIX = 7
};

struct cnni_random {
    uint32_t key[2];
    uint32_t counter[4]; /* block number, purpose and high half of `a`, low half of `a`, `b` */
    uint32_t block[4];
    int32_t used; /* numbers of `block` handed out */
};

/* One block: ten rounds on `counter` with `key`. */
void cnni_philox(uint32_t block[4], const uint32_t counter[4], const uint32_t key[2]);

/* The stream for (seed, purpose, a, b), for instance (seed, AUGMENT, epoch, sample).
 * a < 2^56, b < 2^32, purpose < 256. */
void cnni_random_start(struct cnni_random *random, uint64_t seed, uint32_t purpose, uint64_t a,
                       uint64_t b);

uint32_t cnni_random_bits(struct cnni_random *random);

/* Evenly in 0 <= x < 1, with 32 bits. */
double cnni_random_uniform(struct cnni_random *random);

/* Normally distributed, mean 0, variance 1 (Box and Muller 1958). */
double cnni_random_normal(struct cnni_random *random);

/* Distributed as Beta(alpha, alpha), alpha >= 1e-3: between 0 and 1, mean 1/2; the smaller alpha,
 * the nearer to the ends. */
double cnni_random_beta(struct cnni_random *random, double alpha);

/* Evenly in 0 .. bound - 1 (Lemire 2019); 1 <= bound <= 2^32 - 1. */
uint32_t cnni_random_below(struct cnni_random *random, uint32_t bound);

/* Shuffles `count` indices (Fisher and Yates); count < 2^32. */
void cnni_random_shuffle(struct cnni_random *random, int64_t *indices, int64_t count);

#endif
