/* SPDX-License-Identifier: MIT
 * Transposes with NEON: transpose_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_neon.h"
#include "kernels/transpose_body.h"

void cnni_transpose_neon(const struct cnni_transpose *matrix, void *y, const void *x)
{
    transpose_run(matrix, y, x);
}
