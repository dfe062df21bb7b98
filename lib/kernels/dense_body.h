/* SPDX-License-Identifier: MIT
 * The body of the kernels dense_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() it is written in, then this.  Contract: kernels.h.
 *
 * 8 rows of weights pass over y, which stays in the L1 cache, then the next 8: memory is read in
 * order, row after row, as fast as it can be; and neighbouring columns' chains do not wait for each
 * other. */
#ifndef CNNI_DENSE_BODY_H
#define CNNI_DENSE_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

enum {
    LINKS = 8,
    COLUMNS = 16, /* at a time: a cache line */
    VECTORS = COLUMNS / VECTOR,
    AHEAD = 8 /* rows that the weights are fetched before they are used */
};

/* `links` rows from row c on, for `count` columns from j on: COLUMNS or, at the end, fewer. */
CNNI_INLINE void add_links(const struct cnni_dense_row *row, int64_t c, int64_t j, const int links,
                           const int64_t count)
{
    vec sum[VECTORS];
    const float *w = row->w + c * row->w_pitch + j;
    CNNI_UNROLL
    for (int v = 0; v < VECTORS; v++)
        sum[v] = vec_load(row->y + j + v * VECTOR, count - v * VECTOR);
    CNNI_UNROLL
    for (int i = 0; i < links; i++, w += row->w_pitch) {
        const vec value = vec_set(row->x[c + i]);
        __builtin_prefetch(
            (const void *)((uintptr_t)w + (uintptr_t)(AHEAD * row->w_pitch) * sizeof *w), 0, 2);
        CNNI_UNROLL
        for (int v = 0; v < VECTORS; v++)
            sum[v] = vec_fma(value, vec_load(w + v * VECTOR, count - v * VECTOR), sum[v]);
    }
    CNNI_UNROLL
    for (int v = 0; v < VECTORS; v++)
        if (count > v * VECTOR)
            vec_store(row->y + j + v * VECTOR, sum[v], count - v * VECTOR);
}

CNNI_INLINE void add_rows(const struct cnni_dense_row *row, int64_t c, const int links)
{
    int64_t j = 0;
    for (; j + COLUMNS <= row->columns; j += COLUMNS)
        add_links(row, c, j, links, COLUMNS);
    if (j < row->columns)
        add_links(row, c, j, links, row->columns - j);
}

static inline void dense_row(const struct cnni_dense_row *row)
{
    for (int64_t j = 0; j < row->columns; j++)
        row->y[j] = row->bias == NULL ? 0 : row->bias[j];
    int64_t c = 0;
    for (; c + LINKS <= row->channels; c += LINKS)
        add_rows(row, c, LINKS);
    for (; c < row->channels; c++)
        add_rows(row, c, 1);
    for (int64_t j = 0; row->relu && j < row->columns; j += VECTOR) {
        const int64_t count = CNNI_MIN(row->columns - j, VECTOR);
        vec_store(row->y + j, vec_relu(vec_load(row->y + j, count)), count);
    }
}

#endif
