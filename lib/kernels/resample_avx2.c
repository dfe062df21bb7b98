/* SPDX-License-Identifier: MIT
 * Weighted sums of pixels with AVX2 and FMA: resample_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/resample_body.h"

void cnni_resample_avx2(const struct cnni_resample *row, float *y, const float *x)
{
    resample_run(row, y, x);
}
