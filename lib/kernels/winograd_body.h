/* SPDX-License-Identifier: MIT
 * The bodies of the kernels winograd_*.c, which are the same on every level: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Contracts: kernels.h.
 *
 * The matrices A, B and G are those of Lavin and Gray (2016) for the points 0, 1, -1 (F(2x2)) and
 * 2, -2 (F(4x4)).  Each function below multiplies one of them with a column; a tile's columns come
 * first, then its rows. */
#ifndef CNNI_WINOGRAD_BODY_H
#define CNNI_WINOGRAD_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

enum { INPUTS_MOST = 6, OUTPUTS_MOST = 4, TAPS = 3 };

/* ---- One column ---- */

/* t = B' d */
CNNI_INLINE void input_column(vec *t, const vec *d, const int outputs)
{
    if (outputs == 2) {
        t[0] = vec_sub(d[0], d[2]);
        t[1] = vec_add(d[1], d[2]);
        t[2] = vec_sub(d[2], d[1]);
        t[3] = vec_sub(d[1], d[3]);
        return;
    }
    const vec four = vec_set(4), minus_four = vec_set(-4), minus_five = vec_set(-5);
    const vec even = vec_fma(minus_four, d[2], d[4]), odd = vec_fma(minus_four, d[1], d[3]);
    const vec near = vec_sub(d[4], d[2]), far = vec_sub(d[3], d[1]);
    t[0] = vec_fma(four, d[0], vec_fma(minus_five, d[2], d[4]));
    t[1] = vec_add(even, odd);
    t[2] = vec_sub(even, odd);
    t[3] = vec_fma(vec_set(2), far, near);
    t[4] = vec_fma(vec_set(-2), far, near);
    t[5] = vec_fma(four, d[1], vec_fma(minus_five, d[3], d[5]));
}

/* y = A' m */
CNNI_INLINE void output_column(vec *y, const vec *m, const int outputs)
{
    const vec even1 = vec_add(m[1], m[2]), odd1 = vec_sub(m[1], m[2]);
    if (outputs == 2) {
        y[0] = vec_add(m[0], even1);
        y[1] = vec_sub(odd1, m[3]);
        return;
    }
    const vec even2 = vec_add(m[3], m[4]), odd2 = vec_sub(m[3], m[4]);
    y[0] = vec_add(vec_add(m[0], even1), even2);
    y[1] = vec_fma(vec_set(2), odd2, odd1);
    y[2] = vec_fma(vec_set(4), even2, even1);
    y[3] = vec_add(vec_fma(vec_set(8), odd2, odd1), m[5]);
}

/* z = A dy */
CNNI_INLINE void gradient_column(vec *z, const vec *dy, const int outputs)
{
    if (outputs == 2) {
        z[0] = dy[0];
        z[1] = vec_add(dy[0], dy[1]);
        z[2] = vec_sub(dy[0], dy[1]);
        z[3] = vec_sub(vec_set(0), dy[1]);
        return;
    }
    const vec even1 = vec_add(dy[0], dy[2]), odd1 = vec_add(dy[1], dy[3]);
    const vec even2 = vec_fma(vec_set(4), dy[2], dy[0]);
    const vec odd2 = vec_fma(vec_set(8), dy[3], vec_add(dy[1], dy[1]));
    z[0] = dy[0];
    z[1] = vec_add(even1, odd1);
    z[2] = vec_sub(even1, odd1);
    z[3] = vec_add(even2, odd2);
    z[4] = vec_sub(even2, odd2);
    z[5] = dy[3];
}

/* u = G g */
CNNI_INLINE void weight_column(vec *u, const vec *g, const int outputs)
{
    const vec even = vec_add(g[0], g[2]);
    u[0] = g[0];
    if (outputs == 2) {
        const vec half = vec_set(0.5f);
        u[1] = vec_mul(half, vec_add(even, g[1]));
        u[2] = vec_mul(half, vec_sub(even, g[1]));
        u[3] = g[2];
        return;
    }
    const vec sixth = vec_set(1.0f / 6), minus_sixth = vec_set(-1.0f / 6);
    const vec quarter = vec_set(0.25f), wide = vec_fma(quarter, g[0], g[2]);
    u[0] = vec_mul(quarter, g[0]);
    u[1] = vec_mul(minus_sixth, vec_add(even, g[1]));
    u[2] = vec_mul(minus_sixth, vec_sub(even, g[1]));
    u[3] = vec_mul(sixth, vec_fma(vec_set(0.5f), g[1], wide));
    u[4] = vec_mul(sixth, vec_fma(vec_set(-0.5f), g[1], wide));
    u[5] = g[2];
}

/* g = G' u */
CNNI_INLINE void tap_column(vec *g, const vec *u, const int outputs)
{
    const vec near = vec_add(u[1], u[2]), slope = vec_sub(u[1], u[2]), half = vec_set(0.5f);
    if (outputs == 2) {
        g[0] = vec_fma(half, near, u[0]);
        g[1] = vec_mul(half, slope);
        g[2] = vec_fma(half, near, u[3]);
        return;
    }
    const vec far = vec_add(u[3], u[4]), far_slope = vec_sub(u[3], u[4]);
    const vec sixth = vec_set(1.0f / 6), minus_quarter = vec_set(-0.25f);
    g[0] = vec_fma(vec_set(-1.0f / 6), vec_fma(minus_quarter, far, near),
                   vec_mul(vec_set(0.25f), u[0]));
    g[1] = vec_mul(sixth, vec_sub(vec_mul(half, far_slope), slope));
    g[2] = vec_fma(sixth, vec_sub(far, near), u[5]);
}

/* ---- One tile, `count` channels from c on: a vector, or at the end a part of one ---- */

CNNI_INLINE void input_lanes(const struct cnni_winograd_input *tile, int64_t c, const int64_t count,
                             const int outputs)
{
    const int inputs = outputs + 2;
    vec columns[INPUTS_MOST][INPUTS_MOST]; /* [column][row] */
    CNNI_UNROLL
    for (int j = 0; j < inputs; j++) {
        vec d[INPUTS_MOST];
        CNNI_UNROLL
        for (int i = 0; i < inputs; i++)
            d[i] = vec_load(tile->x[i * inputs + j] + c, count);
        input_column(columns[j], d, outputs);
    }
    CNNI_UNROLL
    for (int i = 0; i < inputs; i++) {
        vec d[INPUTS_MOST], t[INPUTS_MOST];
        CNNI_UNROLL
        for (int j = 0; j < inputs; j++)
            d[j] = columns[j][i];
        input_column(t, d, outputs);
        CNNI_UNROLL
        for (int j = 0; j < inputs; j++)
            vec_store(tile->v + (i * inputs + j) * tile->point_pitch + c, t[j], count);
    }
}

CNNI_INLINE void output_lanes(const struct cnni_winograd_output *tile, int64_t c,
                              const int64_t count, const int outputs)
{
    const int inputs = outputs + 2;
    const vec bias = tile->bias == NULL ? vec_set(0) : vec_load(tile->bias + c, count);
    vec columns[INPUTS_MOST][OUTPUTS_MOST];
    CNNI_UNROLL
    for (int j = 0; j < inputs; j++) {
        vec m[INPUTS_MOST];
        CNNI_UNROLL
        for (int i = 0; i < inputs; i++)
            m[i] = vec_load(tile->m + (i * inputs + j) * tile->point_pitch + c, count);
        output_column(columns[j], m, outputs);
    }
    CNNI_UNROLL
    for (int i = 0; i < outputs; i++) {
        vec m[INPUTS_MOST], y[OUTPUTS_MOST];
        CNNI_UNROLL
        for (int j = 0; j < inputs; j++)
            m[j] = columns[j][i];
        output_column(y, m, outputs);
        CNNI_UNROLL
        for (int j = 0; j < outputs; j++) {
            const vec value = tile->bias == NULL ? y[j] : vec_add(y[j], bias);
            if (tile->y[i * outputs + j] != NULL)
                vec_store(tile->y[i * outputs + j] + c, tile->relu ? vec_relu(value) : value,
                          count);
        }
    }
}

CNNI_INLINE void gradient_lanes(const struct cnni_winograd_gradient *tile, int64_t c,
                                const int64_t count, const int outputs)
{
    const int inputs = outputs + 2;
    float *z = tile->z + c / tile->width * tile->panel_pitch + c % tile->width;
    vec columns[OUTPUTS_MOST][INPUTS_MOST];
    CNNI_UNROLL
    for (int j = 0; j < outputs; j++) {
        vec dy[OUTPUTS_MOST];
        CNNI_UNROLL
        for (int i = 0; i < outputs; i++)
            dy[i] = vec_load(tile->dy[i * outputs + j] + c, count);
        gradient_column(columns[j], dy, outputs);
    }
    CNNI_UNROLL
    for (int i = 0; i < inputs; i++) {
        vec dy[OUTPUTS_MOST], t[INPUTS_MOST];
        CNNI_UNROLL
        for (int j = 0; j < outputs; j++)
            dy[j] = columns[j][i];
        gradient_column(t, dy, outputs);
        CNNI_UNROLL
        for (int j = 0; j < inputs; j++)
            vec_store(z + (i * inputs + j) * tile->point_pitch, t[j], VECTOR);
    }
}

CNNI_INLINE void weight_lanes(const struct cnni_winograd_weights *tile, int64_t c,
                              const int64_t count, const int outputs)
{
    const int inputs = outputs + 2;
    vec columns[TAPS][INPUTS_MOST];
    CNNI_UNROLL
    for (int j = 0; j < TAPS; j++) {
        vec g[TAPS];
        CNNI_UNROLL
        for (int i = 0; i < TAPS; i++)
            g[i] = vec_load(tile->w[i * TAPS + j] + c, count);
        weight_column(columns[j], g, outputs);
    }
    CNNI_UNROLL
    for (int i = 0; i < inputs; i++) {
        vec g[TAPS], u[INPUTS_MOST];
        CNNI_UNROLL
        for (int j = 0; j < TAPS; j++)
            g[j] = columns[j][i];
        weight_column(u, g, outputs);
        CNNI_UNROLL
        for (int j = 0; j < inputs; j++)
            vec_store(tile->u + (i * inputs + j) * tile->point_pitch + c, u[j], count);
    }
}

CNNI_INLINE void filter_lanes(const struct cnni_winograd_filter *tile, int64_t c,
                              const int64_t count, const int outputs)
{
    const int inputs = outputs + 2;
    vec columns[INPUTS_MOST][TAPS];
    CNNI_UNROLL
    for (int j = 0; j < inputs; j++) {
        vec u[INPUTS_MOST];
        CNNI_UNROLL
        for (int i = 0; i < inputs; i++)
            u[i] = vec_load(tile->u + (i * inputs + j) * tile->point_pitch + c, count);
        tap_column(columns[j], u, outputs);
    }
    CNNI_UNROLL
    for (int i = 0; i < TAPS; i++) {
        vec u[INPUTS_MOST], g[TAPS];
        CNNI_UNROLL
        for (int j = 0; j < inputs; j++)
            u[j] = columns[j][i];
        tap_column(g, u, outputs);
        CNNI_UNROLL
        for (int j = 0; j < TAPS; j++) {
            float *dw = tile->dw[i * TAPS + j] + c;
            vec_store(dw, vec_add(vec_load(dw, count), g[j]), count);
        }
    }
}

/* ---- All channels of a tile: whole vectors, then what is left up to `end` ---- */

#define CNNI_ALL_CHANNELS(lanes, tile, end, outputs)                                               \
    do {                                                                                           \
        int64_t c = 0;                                                                             \
        for (; c + VECTOR <= (tile)->channels; c += VECTOR)                                        \
            lanes(tile, c, VECTOR, outputs);                                                       \
        for (; c < (end); c += VECTOR)                                                             \
            lanes(tile, c, (tile)->channels - c, outputs);                                         \
    } while (0)

/* The same in half of the code, for kernels that run once in a step: whole vectors are masked as
 * well. */
#define CNNI_ALL_CHANNELS_SMALL(lanes, tile, outputs)                                              \
    for (int64_t c = 0; c < (tile)->channels; c += VECTOR)                                         \
    lanes(tile, c, CNNI_MIN((tile)->channels - c, VECTOR), outputs)

static inline void winograd_input(const struct cnni_winograd_input *tile)
{
    if (tile->outputs == 2)
        CNNI_ALL_CHANNELS(input_lanes, tile, tile->channels, 2);
    else
        CNNI_ALL_CHANNELS(input_lanes, tile, tile->channels, 4);
}

static inline void winograd_output(const struct cnni_winograd_output *tile)
{
    if (tile->outputs == 2)
        CNNI_ALL_CHANNELS(output_lanes, tile, tile->channels, 2);
    else
        CNNI_ALL_CHANNELS(output_lanes, tile, tile->channels, 4);
}

static inline void winograd_gradient(const struct cnni_winograd_gradient *tile)
{
    const int64_t end = (tile->channels + 15) / 16 * 16;
    if (tile->outputs == 2)
        CNNI_ALL_CHANNELS(gradient_lanes, tile, end, 2);
    else
        CNNI_ALL_CHANNELS(gradient_lanes, tile, end, 4);
}

static inline void winograd_weights(const struct cnni_winograd_weights *tile)
{
    if (tile->outputs == 2)
        CNNI_ALL_CHANNELS_SMALL(weight_lanes, tile, 2);
    else
        CNNI_ALL_CHANNELS_SMALL(weight_lanes, tile, 4);
}

static inline void winograd_filter(const struct cnni_winograd_filter *tile)
{
    if (tile->outputs == 2)
        CNNI_ALL_CHANNELS_SMALL(filter_lanes, tile, 2);
    else
        CNNI_ALL_CHANNELS_SMALL(filter_lanes, tile, 4);
}

#endif
