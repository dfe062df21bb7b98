/* SPDX-License-Identifier: MIT
 * Max-pooling windows with AVX2: maxpool2d_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/maxpool2d_body.h"

void cnni_maxpool2d_forward_avx2(const struct cnni_maxpool2d_windows *shape, float *y,
                                 void *winners, const float *x)
{
    forward_run(shape, y, winners, x);
}

void cnni_maxpool2d_backward_avx2(const struct cnni_maxpool2d_windows *shape, float *dx,
                                  const float *dy, const void *winners, bool overwrite)
{
    backward_run(shape, dx, dy, winners, overwrite);
}
