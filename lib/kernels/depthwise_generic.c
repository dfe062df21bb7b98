/* SPDX-License-Identifier: MIT
 * Depthwise convolution in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

void cnni_conv2d_depthwise_generic(const struct cnni_conv2d_depthwise *run)
{
    for (int64_t p = 0; p < run->pixels; p++) {
        const float *x = run->x + run->x_offsets[p];
        float *y = run->y + run->y_offsets[p];
        for (int64_t c = 0; c < run->channels; c++) {
            float sum = run->bias != NULL ? run->bias[c] : 0;
            for (int64_t t = 0; t < run->tap_count; t++)
                sum += x[run->taps[t] + c] * run->w[t * run->channels + c];
            y[c] = run->relu && sum <= 0 ? 0 : sum;
        }
    }
}

void cnni_conv2d_depthwise_filter_generic(const struct cnni_conv2d_depthwise_filter *run)
{
    for (int64_t t = 0; t < run->tap_count; t++)
        for (int64_t c = 0; c < run->channels; c++) {
            const float *x = run->x + run->taps[t] + c;
            float sum = 0;
            for (int64_t p = 0; p < run->pixels; p++)
                sum += x[run->x_offsets[p]] * run->dy[p * run->channels + c];
            run->dw[t * run->channels + c] += sum;
        }
}
