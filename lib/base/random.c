/* SPDX-License-Identifier: MIT
 * Philox4x32-10 and what is drawn with it. */
#include "base/random.h"

#include <math.h>

#include "base/real.h"

void cnni_philox(uint32_t block[4], const uint32_t counter[4], const uint32_t key[2])
{
    /* The multipliers and the key's increments (golden ratio, square root of 3) of the paper. */
    const uint32_t m0 = 0xD2511F53, m1 = 0xCD9E8D57, w0 = 0x9E3779B9, w1 = 0xBB67AE85;
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int32_t round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)m0 * x0, p1 = (uint64_t)m1 * x2;
        x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)p1;
        x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)p0;
        k0 += w0;
        k1 += w1;
    }
    block[0] = x0;
    block[1] = x1;
    block[2] = x2;
    block[3] = x3;
}

void cnni_random_start(struct cnni_random *random, uint64_t seed, uint32_t purpose, uint64_t a,
                       uint64_t b)
{
    random->key[0] = (uint32_t)seed;
    random->key[1] = (uint32_t)(seed >> 32);
    random->counter[0] = 0;
    random->counter[1] = purpose << 24 | (uint32_t)(a >> 32);
    random->counter[2] = (uint32_t)a;
    random->counter[3] = (uint32_t)b;
    random->used = 4;
}

uint32_t cnni_random_bits(struct cnni_random *random)
{
    if (random->used == 4) {
        cnni_philox(random->block, random->counter, random->key);
        random->counter[0]++;
        random->used = 0;
    }
    return random->block[random->used++];
}

double cnni_random_uniform(struct cnni_random *random)
{
    return cnni_random_bits(random) * 0x1p-32;
}

/* Evenly in 0 < x < 1: the middle of each of 2^32 steps, so that it has a logarithm. */
static double positive_uniform(struct cnni_random *random)
{
    return (cnni_random_bits(random) + 0.5) * 0x1p-32;
}

double cnni_random_normal(struct cnni_random *random)
{
    double radius = positive_uniform(random);
    double turn = cnni_random_uniform(random);
    return sqrt(-2 * cnni_log(radius)) * cnni_cospi(2 * turn);
}

/* The logarithm of a number distributed as Gamma(alpha, 1): Gamma(alpha + 1, 1) by rejection
 * (Marsaglia and Tsang 2000), times U^(1 / alpha), which would be 0 for many a small alpha. */
static double log_gamma_distributed(struct cnni_random *random, double alpha)
{
    const double d = alpha + 2.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = cnni_random_normal(random), root = 1 + c * x, v = root * root * root;
        const double log_u = cnni_log(positive_uniform(random));
        if (root > 0 && log_u < 0.5 * x * x + d * (1 - v + cnni_log(v)))
            return cnni_log(d * v) + cnni_log(positive_uniform(random)) / alpha;
    }
}

double cnni_random_beta(struct cnni_random *random, double alpha)
{
    const double x = log_gamma_distributed(random, alpha);
    const double y = log_gamma_distributed(random, alpha);
    return 1 / (1 + cnni_exp(y - x)); /* the share of one of both in their sum */
}

uint32_t cnni_random_below(struct cnni_random *random, uint32_t bound)
{
    uint32_t rejected = (0u - bound) % bound;
    uint64_t product;
    do
        product = (uint64_t)cnni_random_bits(random) * bound;
    while ((uint32_t)product < rejected);
    return (uint32_t)(product >> 32);
}

void cnni_random_shuffle(struct cnni_random *random, int64_t *indices, int64_t count)
{
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = cnni_random_below(random, (uint32_t)i + 1);
        int64_t other = indices[j];
        indices[j] = indices[i];
        indices[i] = other;
    }
}
