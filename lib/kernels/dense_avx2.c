/* SPDX-License-Identifier: MIT
 * A dense layer on one sample with AVX2 and FMA: dense_body.h.  Contract: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/dense_body.h"

void cnni_dense_row_avx2(const struct cnni_dense_row *row)
{
    dense_row(row);
}
