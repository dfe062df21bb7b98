/* SPDX-License-Identifier: MIT
 * Winograd tiles in portable C: winograd_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_generic.h"
#include "kernels/winograd_body.h"

void cnni_winograd_input_generic(const struct cnni_winograd_input *tile)
{
    winograd_input(tile);
}

void cnni_winograd_output_generic(const struct cnni_winograd_output *tile)
{
    winograd_output(tile);
}

void cnni_winograd_gradient_generic(const struct cnni_winograd_gradient *tile)
{
    winograd_gradient(tile);
}

void cnni_winograd_weights_generic(const struct cnni_winograd_weights *tile)
{
    winograd_weights(tile);
}

void cnni_winograd_filter_generic(const struct cnni_winograd_filter *tile)
{
    winograd_filter(tile);
}
