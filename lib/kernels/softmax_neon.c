/* SPDX-License-Identifier: MIT
 * Softmax rows with NEON: softmax_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_neon.h"
#include "kernels/softmax_body.h"

void cnni_softmax_exp_neon(int64_t count, float *y, float *max, float *sum, const float *x)
{
    exp_run(count, y, max, sum, x);
}

void cnni_softmax_backward_neon(int64_t count, float *dx, const float *dy, const float *y)
{
    softmax_backward_run(count, dx, dy, y);
}
