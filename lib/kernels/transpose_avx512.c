/* SPDX-License-Identifier: MIT
 * Transposes with AVX-512: transpose_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx512.h"
#include "kernels/transpose_body.h"

void cnni_transpose_avx512(const struct cnni_transpose *matrix, void *y, const void *x)
{
    transpose_run(matrix, y, x);
}
