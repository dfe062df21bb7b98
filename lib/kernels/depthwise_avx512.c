/* SPDX-License-Identifier: MIT
 * Depthwise convolution with AVX-512: depthwise_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx512.h"
#include "kernels/depthwise_body.h"

void cnni_conv2d_depthwise_avx512(const struct cnni_conv2d_depthwise *run)
{
    depthwise_run(run);
}

void cnni_conv2d_depthwise_filter_avx512(const struct cnni_conv2d_depthwise_filter *run)
{
    depthwise_filter_run(run);
}
