/* SPDX-License-Identifier: MIT
 * Transposes with AVX2: transpose_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/transpose_body.h"

void cnni_transpose_avx2(const struct cnni_transpose *matrix, void *y, const void *x)
{
    transpose_run(matrix, y, x);
}
