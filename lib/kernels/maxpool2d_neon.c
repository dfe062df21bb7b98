/* SPDX-License-Identifier: MIT
 * Max-pooling windows with NEON: 4 channels of a window at a time, the winners' numbers beside the
 * values.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_neon.h"
#include "kernels/unroll.h"

/* ---- Winners' numbers, in memory as bytes or as words ---- */

static inline void store_winners(void *winners, int64_t place, int32_t size, int64_t count,
                                 int32x4_t number)
{
    int32_t words[VECTOR];
    vst1q_s32(words, number);
    if (size == 4)
        memcpy((int32_t *)winners + place, words, (size_t)count * sizeof *words);
    else if (size == 1)
        for (int64_t i = 0; i < count; i++)
            ((uint8_t *)winners)[place + i] = (uint8_t)words[i];
}

static inline int32x4_t load_winners(const void *winners, int64_t place, int32_t size,
                                     int64_t count)
{
    int32_t words[VECTOR] = {0};
    if (size == 4)
        memcpy(words, (const int32_t *)winners + place, (size_t)count * sizeof *words);
    else
        for (int64_t i = 0; i < count; i++)
            words[i] = ((const uint8_t *)winners)[place + i];
    return vld1q_s32(words);
}

/* ---- Forward ---- */

/* `count` channels at x, 4 or, at the end, fewer, of one window of rows x columns pixels; the
 * results' place in y and winners. */
CNNI_INLINE void largest(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x,
                         int64_t place, const int64_t count)
{
    float32x4_t best = load_lanes(x, count);
    int32x4_t winner = vdupq_n_s32(shape->first);
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = i == 0; j < columns; j++) {
            const float32x4_t value =
                load_lanes(x + i * shape->row_pitch + j * shape->channels, count);
            const uint32x4_t ordered = vceqq_f32(best, best);
            const uint32x4_t wins = vbicq_u32(ordered, vcleq_f32(value, best));
            best = vbslq_f32(wins, value, best);
            winner = vbslq_s32(wins, vdupq_n_s32(number + (int32_t)j), winner);
        }
    }
    if (shape->gate) {
        const int32_t none = shape->winner_size == 1 ? CNNI_NO_WINNER_BYTE : CNNI_NO_WINNER_WORD;
        winner = vbslq_s32(vcleq_f32(best, vdupq_n_f32(0)), vdupq_n_s32(none), winner);
    }
    store_lanes(y + place, best, count);
    store_winners(winners, place, shape->winner_size, count, winner);
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
            largest(shape, rows, columns, y, winners, x + c, place + c, shape->channels - c);
    }
}

/* The usual window gets its loops unrolled. */
void cnni_maxpool2d_forward_neon(const struct cnni_maxpool2d_windows *shape, float *y,
                                 void *winners, const float *x)
{
    if (shape->rows == 2 && shape->columns == 2)
        forward(shape, 2, 2, y, winners, x);
    else
        forward(shape, shape->rows, shape->columns, y, winners, x);
}

/* ---- Backward ---- */

/* Adds dy to the winners among `count` channels of a window at dx, or overwrites the window. */
CNNI_INLINE void spread(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                        const int64_t columns, float *dx, float32x4_t dy, int32x4_t winner,
                        bool overwrite, const int64_t count)
{
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = 0; j < columns; j++) {
            float *target = dx + i * shape->row_pitch + j * shape->channels;
            const uint32x4_t lost = vmvnq_u32(vceqq_s32(winner, vdupq_n_s32(number + (int32_t)j)));
            const float32x4_t part = clear(dy, lost);
            store_lanes(target, overwrite ? part : vaddq_f32(load_lanes(target, count), part),
                        count);
        }
    }
}

CNNI_INLINE void backward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                          const int64_t columns, float *dx, const float *dy, const void *winners,
                          bool overwrite)
{
    const int64_t channels = shape->channels;
    const int32_t size = shape->winner_size;
    for (int64_t window = 0; window < shape->windows; window++, dx += shape->x_step) {
        const int64_t place = window * channels;
        int64_t c = 0;
        for (; c + VECTOR <= channels; c += VECTOR)
            spread(shape, rows, columns, dx + c, vld1q_f32(dy + place + c),
                   load_winners(winners, place + c, size, VECTOR), overwrite, VECTOR);
        if (c < channels)
            spread(shape, rows, columns, dx + c, load_lanes(dy + place + c, channels - c),
                   load_winners(winners, place + c, size, channels - c), overwrite, channels - c);
    }
}

void cnni_maxpool2d_backward_neon(const struct cnni_maxpool2d_windows *shape, float *dx,
                                  const float *dy, const void *winners, bool overwrite)
{
    if (shape->rows == 2 && shape->columns == 2 && overwrite)
        backward(shape, 2, 2, dx, dy, winners, true);
    else
        backward(shape, shape->rows, shape->columns, dx, dy, winners, overwrite);
}
