/* SPDX-License-Identifier: MIT
 * Taps, by whole numbers as far as they go: one list of taps per axis, made anew by each call,
 * which costs about a row and a column of pixels. */
#include "ops/op_resample_axis.h"

#include <string.h>

/* Neighbours that an output reads, or a single one. */
struct span {
    int64_t first, count;
    float weight[2]; /* of the first, and of each other */
};

static struct span single(int64_t input)
{
    return (struct span){input, 1, {1, 1}};
}

static struct span window_of(const struct cnni_resample_axis *axis, int64_t output)
{
    const int64_t start = output * axis->stride - axis->padding;
    const int64_t first = CNNI_MAX(start, 0);
    const int64_t count = CNNI_MIN(start + axis->window, axis->inputs) - first;
    const int64_t divisor = axis->rule == CNNI_RESAMPLE_AVERAGE ? axis->window : count;
    const float weight = (float)(1 / (double)divisor);
    return (struct span){first, count, {weight, weight}};
}

/* In parts of 1 / (2 factor): the output's middle lies at 2 output + 1 - factor. */
static struct span neighbours_of(const struct cnni_resample_axis *axis, int64_t output)
{
    const int64_t unit = 2 * axis->factor, place = CNNI_MAX(2 * output + 1 - axis->factor, 0);
    const int64_t first = place / unit, beyond = place % unit;
    if (beyond == 0 || first + 1 == axis->inputs)
        return single(first);
    const double share = (double)beyond / (double)unit;
    return (struct span){first, 2, {(float)(1 - share), (float)share}};
}

static struct span shifted(const struct cnni_resample_axis *axis, int64_t output)
{
    int64_t input = output - axis->padding;
    const int64_t last = axis->inputs - 1;
    if (axis->rule == CNNI_RESAMPLE_REFLECT)
        input = input < 0 ? -input : input > last ? 2 * last - input : input;
    else if (axis->rule == CNNI_RESAMPLE_REPLICATE)
        input = CNNI_MIN(CNNI_MAX(input, 0), last);
    return input < 0 || input > last ? (struct span){.count = 0} : single(input);
}

static struct span span_of(const struct cnni_resample_axis *axis, int64_t output)
{
    switch (axis->rule) {
    case CNNI_RESAMPLE_AVERAGE:
    case CNNI_RESAMPLE_PARTIAL: return window_of(axis, output);
    case CNNI_RESAMPLE_NEAREST: return single(output / axis->factor);
    case CNNI_RESAMPLE_LINEAR: return neighbours_of(axis, output);
    default: return shifted(axis, output);
    }
}

/* The most taps that an output has. */
static int64_t most_taps(const struct cnni_resample_axis *axis)
{
    const bool window = axis->rule == CNNI_RESAMPLE_AVERAGE || axis->rule == CNNI_RESAMPLE_PARTIAL;
    return window                               ? CNNI_MIN(axis->window, axis->inputs)
           : axis->rule == CNNI_RESAMPLE_LINEAR ? 2
                                                : 1;
}

static size_t first_bytes(const struct cnni_resample_axis *axis)
{
    return (size_t)(CNNI_MAX(axis->inputs, axis->outputs) + 1) * sizeof(int64_t);
}

bool cnni_resample_add_bytes(size_t *bytes, const struct cnni_resample_axis *axis)
{
    size_t taps;
    return cnni_mul_size(&taps, (size_t)axis->outputs, (size_t)most_taps(axis)) &&
           cnni_mul_size(&taps, taps, sizeof(struct cnni_resample_tap)) &&
           cnni_add_size(bytes, *bytes, taps) && cnni_add_size(bytes, *bytes, first_bytes(axis));
}

static void fill_forward(struct cnni_resample_taps *taps, const struct cnni_resample_axis *axis,
                         int64_t step)
{
    int64_t count = 0;
    for (int64_t o = 0; o < axis->outputs; o++) {
        const struct span span = span_of(axis, o);
        taps->first[o] = count;
        for (int64_t t = 0; t < span.count; t++)
            taps->taps[count++] =
                (struct cnni_resample_tap){(span.first + t) * step, span.weight[t > 0]};
    }
    taps->first[axis->outputs] = count;
}

/* Counts, adds up to where each input's taps end, and fills them from their ends. */
static void fill_turned(struct cnni_resample_taps *taps, const struct cnni_resample_axis *axis,
                        int64_t step)
{
    memset(taps->first, 0, (size_t)(axis->inputs + 1) * sizeof *taps->first);
    for (int64_t o = 0; o < axis->outputs; o++) {
        const struct span span = span_of(axis, o);
        for (int64_t t = 0; t < span.count; t++)
            taps->first[span.first + t]++;
    }
    for (int64_t i = 1; i <= axis->inputs; i++)
        taps->first[i] += taps->first[i - 1];
    for (int64_t o = axis->outputs - 1; o >= 0; o--) {
        const struct span span = span_of(axis, o);
        for (int64_t t = 0; t < span.count; t++)
            taps->taps[--taps->first[span.first + t]] =
                (struct cnni_resample_tap){o * step, span.weight[t > 0]};
    }
}

void *cnni_resample_fill(struct cnni_resample_taps *taps, const struct cnni_resample_axis *axis,
                         int64_t step, bool turned, void *memory)
{
    taps->first = memory;
    taps->taps = (void *)((char *)memory + first_bytes(axis));
    if (turned)
        fill_turned(taps, axis, step);
    else
        fill_forward(taps, axis, step);
    return taps->taps + axis->outputs * most_taps(axis);
}
