/* SPDX-License-Identifier: MIT
 * Winograd tiles with AVX2 and FMA: winograd_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/winograd_body.h"

void cnni_winograd_input_avx2(const struct cnni_winograd_input *tile)
{
    winograd_input(tile);
}

void cnni_winograd_output_avx2(const struct cnni_winograd_output *tile)
{
    winograd_output(tile);
}

void cnni_winograd_gradient_avx2(const struct cnni_winograd_gradient *tile)
{
    winograd_gradient(tile);
}

void cnni_winograd_weights_avx2(const struct cnni_winograd_weights *tile)
{
    winograd_weights(tile);
}

void cnni_winograd_filter_avx2(const struct cnni_winograd_filter *tile)
{
    winograd_filter(tile);
}
