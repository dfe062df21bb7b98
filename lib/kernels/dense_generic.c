/* SPDX-License-Identifier: MIT
 * A dense layer on one sample in portable C.  Contract: kernels.h. */
#include "kernels/kernels.h"

void cnni_dense_row_generic(const struct cnni_dense_row *row)
{
    float *y = row->y;
    for (int64_t j = 0; j < row->columns; j++)
        y[j] = row->bias == NULL ? 0 : row->bias[j];
    for (int64_t c = 0; c < row->channels; c++)
        for (int64_t j = 0; j < row->columns; j++)
            y[j] += row->x[c] * row->w[c * row->w_pitch + j];
    for (int64_t j = 0; row->relu && j < row->columns; j++)
        y[j] = y[j] <= 0 ? 0 : y[j];
}
