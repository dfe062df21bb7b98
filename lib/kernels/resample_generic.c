/* SPDX-License-Identifier: MIT
 * Weighted sums of pixels in portable C: resample_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_generic.h"
#include "kernels/resample_body.h"

void cnni_resample_generic(const struct cnni_resample *row, float *y, const float *x)
{
    resample_run(row, y, x);
}
