/* SPDX-License-Identifier: MIT
 * Depthwise convolution with NEON: depthwise_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_neon.h"
#include "kernels/depthwise_body.h"

void cnni_conv2d_depthwise_neon(const struct cnni_conv2d_depthwise *run)
{
    depthwise_run(run);
}

void cnni_conv2d_depthwise_filter_neon(const struct cnni_conv2d_depthwise_filter *run)
{
    depthwise_filter_run(run);
}
