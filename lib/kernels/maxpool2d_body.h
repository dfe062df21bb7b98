/* SPDX-License-Identifier: MIT
 * The bodies of the kernels maxpool2d_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  A vector of channels of a
 * window at a time, the winners' numbers beside the values.  Contracts: kernels.h. */
#ifndef CNNI_MAXPOOL2D_BODY_H
#define CNNI_MAXPOOL2D_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

CNNI_INLINE void store_winners(const struct cnni_maxpool2d_windows *shape, void *winners,
                               int64_t place, vec_int number, const int64_t count)
{
    if (shape->winner_size == 1)
        vec_int_store_bytes((uint8_t *)winners + place, number, count);
    else if (shape->winner_size == 4)
        vec_int_store((int32_t *)winners + place, number, count);
}

CNNI_INLINE vec_int load_winners(const struct cnni_maxpool2d_windows *shape, const void *winners,
                                 int64_t place, const int64_t count)
{
    return shape->winner_size == 4 ? vec_int_load((const int32_t *)winners + place, count)
                                   : vec_int_load_bytes((const uint8_t *)winners + place, count);
}

/* ---- Forward ---- */

/* `count` channels at x, a vector or, at the end, fewer, of one window of rows x columns pixels;
 * the results' place in y and winners. */
CNNI_INLINE void largest(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x,
                         int64_t place, const int64_t count)
{
    vec best = vec_load(x, count);
    vec_int winner = vec_int_set(shape->first);
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = i == 0; j < columns; j++) {
            const vec value = vec_load(x + i * shape->row_pitch + j * shape->channels, count);
            const vec_mask wins = vec_both(vec_nle(value, best), vec_is_number(best));
            best = vec_select(wins, value, best);
            winner = vec_int_select(wins, vec_int_set(number + (int32_t)j), winner);
        }
    }
    if (shape->gate) {
        const int32_t none = shape->winner_size == 1 ? CNNI_NO_WINNER_BYTE : CNNI_NO_WINNER_WORD;
        winner = vec_int_select(vec_nle(best, vec_set(0)), winner, vec_int_set(none));
    }
    vec_store(y + place, best, count);
    store_winners(shape, winners, place, winner, count);
}

/* The channels behind the last whole vector, of any window: once, to be small. */
CNNI_NOINLINE void largest_rest(const struct cnni_maxpool2d_windows *shape, float *y, void *winners,
                                const float *x, int64_t place, int64_t count)
{
    largest(shape, shape->rows, shape->columns, y, winners, x, place, count);
}

CNNI_INLINE void forward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x)
{
    for (int64_t window = 0; window < shape->windows; window++, x += shape->x_step) {
        const int64_t place = window * shape->channels;
        int64_t c = 0;
        for (; c + VECTOR <= shape->channels; c += VECTOR)
            largest(shape, rows, columns, y, winners, x + c, place + c, VECTOR);
        if (c < shape->channels)
            largest_rest(shape, y, winners, x + c, place + c, shape->channels - c);
    }
}

/* The usual window gets its loops unrolled.  The shape is copied since no store to y can change the
 * copy, whose numbers so stay in registers. */
static inline void forward_run(const struct cnni_maxpool2d_windows *given, float *y, void *winners,
                               const float *x)
{
    const struct cnni_maxpool2d_windows copy = *given, *shape = &copy;
    if (shape->rows == 2 && shape->columns == 2)
        forward(shape, 2, 2, y, winners, x);
    else
        forward(shape, shape->rows, shape->columns, y, winners, x);
}

/* ---- Backward ---- */

/* Adds dy to the winners among `count` channels of a window at dx, or overwrites the window. */
CNNI_INLINE void spread(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                        const int64_t columns, float *dx, vec dy, vec_int winner, bool overwrite,
                        const int64_t count)
{
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = 0; j < columns; j++) {
            float *target = dx + i * shape->row_pitch + j * shape->channels;
            const vec_mask won = vec_int_equal(winner, vec_int_set(number + (int32_t)j));
            const vec part = vec_where(won, dy);
            if (shape->stream)
                vec_stream(target, part);
            else if (overwrite)
                vec_store(target, part, count);
            else
                vec_store(target, vec_add(vec_load(target, count), part), count);
        }
    }
}

CNNI_NOINLINE void spread_rest(const struct cnni_maxpool2d_windows *shape, float *dx,
                               const float *dy, const void *winners, int64_t place, bool overwrite,
                               int64_t count)
{
    spread(shape, shape->rows, shape->columns, dx, vec_load(dy + place, count),
           load_winners(shape, winners, place, count), overwrite, count);
}

CNNI_INLINE void backward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                          const int64_t columns, float *dx, const float *dy, const void *winners,
                          bool overwrite)
{
    for (int64_t window = 0; window < shape->windows; window++, dx += shape->x_step) {
        const int64_t place = window * shape->channels;
        int64_t c = 0;
        for (; c + VECTOR <= shape->channels; c += VECTOR)
            spread(shape, rows, columns, dx + c, vec_load(dy + place + c, VECTOR),
                   load_winners(shape, winners, place + c, VECTOR), overwrite, VECTOR);
        const int64_t rest = shape->channels - c;
        if (rest > 0)
            spread_rest(shape, dx + c, dy, winners, place + c, overwrite, rest);
    }
}

static inline void backward_run(const struct cnni_maxpool2d_windows *given, float *dx,
                                const float *dy, const void *winners, bool overwrite)
{
    const struct cnni_maxpool2d_windows copy = *given, *shape = &copy;
    if (shape->rows == 2 && shape->columns == 2 && overwrite)
        backward(shape, 2, 2, dx, dy, winners, true);
    else if (shape->rows == 1 && shape->columns == 2 && overwrite) /* behind a convolution */
        backward(shape, 1, 2, dx, dy, winners, true);
    else
        backward(shape, shape->rows, shape->columns, dx, dy, winners, overwrite);
}

#endif
