/* SPDX-License-Identifier: MIT
 * Max-pooling windows in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

/* The largest value of one channel of one window; *winner is its number. */
static float largest(const struct cnni_maxpool2d_windows *shape, const float *x, int32_t *winner)
{
    float best = x[0];
    *winner = shape->first;
    for (int64_t i = 0; i < shape->rows; i++)
        for (int64_t j = 0; j < shape->columns; j++) {
            const float value = x[i * shape->row_pitch + j * shape->channels];
            if (best == best && !(value <= best)) {
                best = value;
                *winner = shape->first + (int32_t)i * shape->number_pitch + (int32_t)j;
            }
        }
    if (shape->gate && best <= 0)
        *winner = shape->winner_size == 1 ? CNNI_NO_WINNER_BYTE : CNNI_NO_WINNER_WORD;
    return best;
}

void cnni_maxpool2d_forward_generic(const struct cnni_maxpool2d_windows *shape, float *y,
                                    void *winners, const float *x)
{
    for (int64_t window = 0; window < shape->windows; window++)
        for (int64_t c = 0; c < shape->channels; c++) {
            const int64_t place = window * shape->channels + c;
            int32_t winner;
            y[place] = largest(shape, x + window * shape->x_step + c, &winner);
            if (shape->winner_size == 1)
                ((uint8_t *)winners)[place] = (uint8_t)winner;
            else if (shape->winner_size == 4)
                ((int32_t *)winners)[place] = winner;
        }
}

static void spread(const struct cnni_maxpool2d_windows *shape, float *dx, float dy, int32_t winner,
                   bool overwrite)
{
    for (int64_t i = 0; i < shape->rows; i++)
        for (int64_t j = 0; j < shape->columns; j++) {
            const int32_t number = shape->first + (int32_t)i * shape->number_pitch + (int32_t)j;
            const float part = number == winner ? dy : 0;
            float *target = dx + i * shape->row_pitch + j * shape->channels;
            *target = overwrite ? part : *target + part;
        }
}

void cnni_maxpool2d_backward_generic(const struct cnni_maxpool2d_windows *shape, float *dx,
                                     const float *dy, const void *winners, bool overwrite)
{
    for (int64_t window = 0; window < shape->windows; window++)
        for (int64_t c = 0; c < shape->channels; c++) {
            const int64_t place = window * shape->channels + c;
            const int32_t winner = shape->winner_size == 1 ? ((const uint8_t *)winners)[place]
                                                           : ((const int32_t *)winners)[place];
            spread(shape, dx + window * shape->x_step + c, dy[place], winner, overwrite);
        }
}
