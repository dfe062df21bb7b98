/* SPDX-License-Identifier: MIT
 * The body of the kernels resample_*.c: a file includes its lanes_<level>.h, whose vec_...() it is
 * written in, then this.  Some vectors of channels of an output stay in registers over all of its
 * taps.  Contracts: kernels.h. */
#ifndef CNNI_RESAMPLE_BODY_H
#define CNNI_RESAMPLE_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

enum { RESAMPLE_SUMS = 4, RESAMPLE_CHANNELS = RESAMPLE_SUMS * VECTOR };

/* `count` channels of one output: RESAMPLE_CHANNELS or, at the end, fewer. */
CNNI_INLINE void resample_channels(const struct cnni_resample *row,
                                   const struct cnni_resample_tap *columns, int64_t column_count,
                                   float *y, const float *x, const int64_t count)
{
    vec sum[RESAMPLE_SUMS];
    CNNI_UNROLL
    for (int v = 0; v < RESAMPLE_SUMS; v++)
        sum[v] = vec_set(0);
    for (int64_t i = 0; i < row->row_count; i++)
        for (int64_t j = 0; j < column_count; j++) {
            const float *from = x + row->rows[i].x + columns[j].x;
            const vec weight = vec_set(row->rows[i].weight * columns[j].weight);
            const bool first = i == 0 && j == 0;
            CNNI_UNROLL
            for (int v = 0; v < RESAMPLE_SUMS; v++) {
                const vec value = vec_load(from + v * VECTOR, count - v * VECTOR);
                sum[v] = first ? vec_mul(value, weight) : vec_fma(value, weight, sum[v]);
            }
        }
    CNNI_UNROLL
    for (int v = 0; v < RESAMPLE_SUMS; v++)
        if (count > v * VECTOR)
            vec_store(y + v * VECTOR, sum[v], count - v * VECTOR);
}

static inline void resample_run(const struct cnni_resample *row, float *y, const float *x)
{
    for (int64_t p = 0; p < row->pixels; p++, y += row->channels) {
        const struct cnni_resample_tap *columns = row->columns + row->first[p];
        const int64_t column_count = row->first[p + 1] - row->first[p];
        int64_t c = 0;
        for (; c + RESAMPLE_CHANNELS <= row->channels; c += RESAMPLE_CHANNELS)
            resample_channels(row, columns, column_count, y + c, x + c, RESAMPLE_CHANNELS);
        if (c < row->channels)
            resample_channels(row, columns, column_count, y + c, x + c, row->channels - c);
    }
}

#endif
