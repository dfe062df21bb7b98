/* SPDX-License-Identifier: MIT
 * Pairs are drawn by a shuffle, then each pair draws which effect it gets, by how much, and where.
 * One stream of random numbers serves a batch, on one thread. */
#include "data/mix.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

/* ---- Two samples --------------------------------------------------------------------------- */

/* Both become `share` of themselves and the rest of the other. */
static void blend(float *restrict a, float *restrict b, float share, int64_t count)
{
    const float rest = 1 - share;
    for (int64_t i = 0; i < count; i++) {
        const float one = a[i], other = b[i];
        a[i] = share * one + rest * other;
        b[i] = share * other + rest * one;
    }
}

static void exchange(float *restrict a, float *restrict b, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const float one = a[i];
        a[i] = b[i];
        b[i] = one;
    }
}

/* A part of an axis of `size` pixels: `length` about a random middle, cut to the axis. */
struct span {
    int64_t begin, end;
};

static struct span draw_span(struct cnni_random *random, double length, int64_t size)
{
    const double middle = cnni_random_uniform(random) * (double)size;
    const double begin = floor(middle - length / 2 + 0.5), end = floor(middle + length / 2 + 0.5);
    return (struct span){(int64_t)CNNI_MAX(begin, 0), (int64_t)CNNI_MIN(end, (double)size)};
}

/* Exchanges a box of 1 - `share` of the picture; returns what share it came to. */
static double exchange_box(float *a, float *b, const struct cnni_mix_batch *batch, double share,
                           struct cnni_random *random)
{
    const double side = sqrt(1 - share);
    const struct span x = draw_span(random, side * (double)batch->w, batch->w);
    const struct span y = draw_span(random, side * (double)batch->h, batch->h);
    const int64_t width = x.end - x.begin, height = y.end - y.begin;
    for (int64_t row = y.begin; row < y.end; row++) {
        const int64_t first = (row * batch->w + x.begin) * batch->c;
        exchange(a + first, b + first, width * batch->c);
    }
    return 1 - (double)(width * height) / (double)(batch->w * batch->h);
}

/* ---- A batch ------------------------------------------------------------------------------- */

static void mix_labels(const struct cnni_mix_batch *batch, int64_t sample, int64_t partner,
                       float share)
{
    float *shares = batch->shares + sample * batch->classes;
    memset(shares, 0, (size_t)batch->classes * sizeof *shares);
    shares[batch->labels[sample]] = share;
    shares[batch->labels[partner]] += 1 - share;
}

static void mix_pair(const struct cnni_mix *mix, const struct cnni_mix_batch *batch, int64_t one,
                     int64_t other, struct cnni_random *random)
{
    const int64_t count = batch->h * batch->w * batch->c;
    float *a = batch->samples + one * count, *b = batch->samples + other * count;
    const bool heads = cnni_random_uniform(random) < 0.5;
    const bool cuts = mix->cutmix > 0 && (mix->mixup == 0 || heads);
    double share = cnni_random_beta(random, cuts ? mix->cutmix : mix->mixup);
    if (cuts)
        share = exchange_box(a, b, batch, share, random);
    else
        blend(a, b, (float)share, count);
    mix_labels(batch, one, other, (float)share);
    mix_labels(batch, other, one, (float)share);
}

void cnni_mix(const struct cnni_mix *mix, const struct cnni_mix_batch *batch)
{
    struct cnni_random random;
    const int64_t last = batch->n - 1;
    for (int64_t i = 0; i < batch->n; i++)
        batch->partners[i] = i;
    cnni_random_start(&random, batch->seed, CNNI_RANDOM_MIX, (uint64_t)batch->epoch,
                      (uint64_t)batch->index);
    cnni_random_shuffle(&random, batch->partners, batch->n);
    for (int64_t i = 0; i < last; i += 2)
        mix_pair(mix, batch, batch->partners[i], batch->partners[i + 1], &random);
    if (batch->n % 2 == 1)
        mix_labels(batch, batch->partners[last], batch->partners[last], 1);
}
