/* SPDX-License-Identifier: MIT
 * Weighted sums of pixels with NEON: resample_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_neon.h"
#include "kernels/resample_body.h"

void cnni_resample_neon(const struct cnni_resample *row, float *y, const float *x)
{
    resample_run(row, y, x);
}
