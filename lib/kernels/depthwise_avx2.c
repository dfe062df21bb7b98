/* SPDX-License-Identifier: MIT
 * Depthwise convolution with AVX2 and FMA: depthwise_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/depthwise_body.h"

void cnni_conv2d_depthwise_avx2(const struct cnni_conv2d_depthwise *run)
{
    depthwise_run(run);
}

void cnni_conv2d_depthwise_filter_avx2(const struct cnni_conv2d_depthwise_filter *run)
{
    depthwise_filter_run(run);
}
