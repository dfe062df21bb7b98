/* SPDX-License-Identifier: MIT
 * A dense layer on one sample with NEON: dense_body.h.  Contract: kernels.h. */
#include "kernels/lanes_neon.h"
#include "kernels/dense_body.h"

void cnni_dense_row_neon(const struct cnni_dense_row *row)
{
    dense_row(row);
}
