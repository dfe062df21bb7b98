/* SPDX-License-Identifier: MIT
 * Weighted sums of pixels with AVX-512: resample_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx512.h"
#include "kernels/resample_body.h"

void cnni_resample_avx512(const struct cnni_resample *row, float *y, const float *x)
{
    resample_run(row, y, x);
}
