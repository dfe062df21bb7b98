/* SPDX-License-Identifier: MIT
 * Activations in portable C: activation_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_generic.h"
#include "kernels/activation_body.h"

void cnni_activation_forward_generic(const struct cnni_activation *activation, int64_t count,
                                     float *y, const float *x)
{
    activation_run(activation, count, y, x);
}

void cnni_activation_backward_generic(const struct cnni_activation *activation, int64_t count,
                                      float *dx, const float *dy, const float *value)
{
    activation_backward_run(activation, count, dx, dy, value);
}
