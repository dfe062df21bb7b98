/* SPDX-License-Identifier: MIT
 * Every kernel, one line each, worst first: of the lines of a slot, the last that a level
 * includes is the one it runs.  kernels.h takes its declarations from this list, kernels.c its
 * tables, the tests and the benchmark their loops.  No include guard: define CNNI_KERNEL(slot,
 * level, function) and CNNI_TILE_KERNEL(slot, level, function, rows, columns), include, and both
 * are undefined again.
 *
 * To add a kernel: write its file, <subject>_<level>.c, and its line here. */

/*               slot, level, function, largest tile */
CNNI_TILE_KERNEL(conv2d_row_tap, generic, cnni_conv2d_row_tap_generic, 6, 16)
CNNI_TILE_KERNEL(conv2d_filter, generic, cnni_conv2d_filter_generic, 6, 16)
CNNI_TILE_KERNEL(conv2d_panel, generic, cnni_conv2d_panel_generic, 1, 16)
CNNI_KERNEL(conv2d_depthwise, generic, cnni_conv2d_depthwise_generic)
CNNI_KERNEL(conv2d_depthwise_filter, generic, cnni_conv2d_depthwise_filter_generic)
CNNI_KERNEL(dense_row, generic, cnni_dense_row_generic)
CNNI_KERNEL(winograd_input, generic, cnni_winograd_input_generic)
CNNI_KERNEL(winograd_output, generic, cnni_winograd_output_generic)
CNNI_KERNEL(winograd_gradient, generic, cnni_winograd_gradient_generic)
CNNI_KERNEL(winograd_weights, generic, cnni_winograd_weights_generic)
CNNI_KERNEL(winograd_filter, generic, cnni_winograd_filter_generic)
CNNI_KERNEL(maxpool2d_forward, generic, cnni_maxpool2d_forward_generic)
CNNI_KERNEL(maxpool2d_backward, generic, cnni_maxpool2d_backward_generic)
CNNI_KERNEL(vector_relu, generic, cnni_vector_relu_generic)
CNNI_KERNEL(vector_relu_backward, generic, cnni_vector_relu_backward_generic)
CNNI_KERNEL(vector_add, generic, cnni_vector_add_generic)
CNNI_KERNEL(vector_average, generic, cnni_vector_average_generic)
CNNI_KERNEL(vector_sum_squares, generic, cnni_vector_sum_squares_generic)
CNNI_KERNEL(transpose, generic, cnni_transpose_generic)
CNNI_KERNEL(softmax_exp, generic, cnni_softmax_exp_generic)
CNNI_KERNEL(softmax_backward, generic, cnni_softmax_backward_generic)
CNNI_KERNEL(optimizer_sgd, generic, cnni_optimizer_sgd_generic)
CNNI_KERNEL(optimizer_adam, generic, cnni_optimizer_adam_generic)

#if defined(__x86_64__)

/* 6 x 16: 12 accumulators, 2 vectors of filters, 1 broadcast pixel are 15 of the 16 registers. */
CNNI_TILE_KERNEL(conv2d_row_tap, avx2, cnni_conv2d_row_tap_avx2, 6, 16)
CNNI_TILE_KERNEL(conv2d_filter, avx2, cnni_conv2d_filter_avx2, 6, 16)
CNNI_TILE_KERNEL(conv2d_panel, avx2, cnni_conv2d_panel_avx2, 1, 16)
CNNI_KERNEL(conv2d_depthwise, avx2, cnni_conv2d_depthwise_avx2)
CNNI_KERNEL(conv2d_depthwise_filter, avx2, cnni_conv2d_depthwise_filter_avx2)
CNNI_KERNEL(dense_row, avx2, cnni_dense_row_avx2)
CNNI_KERNEL(winograd_input, avx2, cnni_winograd_input_avx2)
CNNI_KERNEL(winograd_output, avx2, cnni_winograd_output_avx2)
CNNI_KERNEL(winograd_gradient, avx2, cnni_winograd_gradient_avx2)
CNNI_KERNEL(winograd_weights, avx2, cnni_winograd_weights_avx2)
CNNI_KERNEL(winograd_filter, avx2, cnni_winograd_filter_avx2)
CNNI_KERNEL(maxpool2d_forward, avx2, cnni_maxpool2d_forward_avx2)
CNNI_KERNEL(maxpool2d_backward, avx2, cnni_maxpool2d_backward_avx2)
CNNI_KERNEL(vector_relu, avx2, cnni_vector_relu_avx2)
CNNI_KERNEL(vector_relu_backward, avx2, cnni_vector_relu_backward_avx2)
CNNI_KERNEL(vector_add, avx2, cnni_vector_add_avx2)
CNNI_KERNEL(vector_average, avx2, cnni_vector_average_avx2)
CNNI_KERNEL(vector_sum_squares, avx2, cnni_vector_sum_squares_avx2)
CNNI_KERNEL(transpose, avx2, cnni_transpose_avx2)
CNNI_KERNEL(softmax_exp, avx2, cnni_softmax_exp_avx2)
CNNI_KERNEL(softmax_backward, avx2, cnni_softmax_backward_avx2)
CNNI_KERNEL(optimizer_sgd, avx2, cnni_optimizer_sgd_avx2)
CNNI_KERNEL(optimizer_adam, avx2, cnni_optimizer_adam_avx2)

/* 6 x 64: 24 accumulators, 4 vectors of filters, 1 broadcast pixel are 29 of the 32 registers;
 * 12 x 32 where no more columns are wanted. */
CNNI_TILE_KERNEL(conv2d_row_tap, avx512, cnni_conv2d_row_tap_avx512, 12, 64)
CNNI_TILE_KERNEL(conv2d_filter, avx512, cnni_conv2d_filter_avx512, 12, 64)
CNNI_TILE_KERNEL(conv2d_panel, avx512, cnni_conv2d_panel_avx512, 1, 64)
CNNI_KERNEL(conv2d_depthwise, avx512, cnni_conv2d_depthwise_avx512)
CNNI_KERNEL(conv2d_depthwise_filter, avx512, cnni_conv2d_depthwise_filter_avx512)
CNNI_KERNEL(dense_row, avx512, cnni_dense_row_avx512)
CNNI_KERNEL(winograd_input, avx512, cnni_winograd_input_avx512)
CNNI_KERNEL(winograd_output, avx512, cnni_winograd_output_avx512)
CNNI_KERNEL(winograd_gradient, avx512, cnni_winograd_gradient_avx512)
CNNI_KERNEL(winograd_weights, avx512, cnni_winograd_weights_avx512)
CNNI_KERNEL(winograd_filter, avx512, cnni_winograd_filter_avx512)
CNNI_KERNEL(maxpool2d_forward, avx512, cnni_maxpool2d_forward_avx512)
CNNI_KERNEL(maxpool2d_backward, avx512, cnni_maxpool2d_backward_avx512)
CNNI_KERNEL(vector_relu, avx512, cnni_vector_relu_avx512)
CNNI_KERNEL(vector_relu_backward, avx512, cnni_vector_relu_backward_avx512)
CNNI_KERNEL(vector_add, avx512, cnni_vector_add_avx512)
CNNI_KERNEL(vector_average, avx512, cnni_vector_average_avx512)
CNNI_KERNEL(vector_sum_squares, avx512, cnni_vector_sum_squares_avx512)
CNNI_KERNEL(transpose, avx512, cnni_transpose_avx512)
CNNI_KERNEL(softmax_exp, avx512, cnni_softmax_exp_avx512)
CNNI_KERNEL(softmax_backward, avx512, cnni_softmax_backward_avx512)
CNNI_KERNEL(optimizer_sgd, avx512, cnni_optimizer_sgd_avx512)
CNNI_KERNEL(optimizer_adam, avx512, cnni_optimizer_adam_avx512)

#elif defined(__aarch64__)

/* 6 x 16: 24 accumulators, 4 vectors of filters and pixels are the 32 registers. */
CNNI_TILE_KERNEL(conv2d_row_tap, neon, cnni_conv2d_row_tap_neon, 6, 16)
CNNI_TILE_KERNEL(conv2d_filter, neon, cnni_conv2d_filter_neon, 6, 16)
CNNI_TILE_KERNEL(conv2d_panel, neon, cnni_conv2d_panel_neon, 1, 16)
CNNI_KERNEL(conv2d_depthwise, neon, cnni_conv2d_depthwise_neon)
CNNI_KERNEL(conv2d_depthwise_filter, neon, cnni_conv2d_depthwise_filter_neon)
CNNI_KERNEL(dense_row, neon, cnni_dense_row_neon)
CNNI_KERNEL(winograd_input, neon, cnni_winograd_input_neon)
CNNI_KERNEL(winograd_output, neon, cnni_winograd_output_neon)
CNNI_KERNEL(winograd_gradient, neon, cnni_winograd_gradient_neon)
CNNI_KERNEL(winograd_weights, neon, cnni_winograd_weights_neon)
CNNI_KERNEL(winograd_filter, neon, cnni_winograd_filter_neon)
CNNI_KERNEL(maxpool2d_forward, neon, cnni_maxpool2d_forward_neon)
CNNI_KERNEL(maxpool2d_backward, neon, cnni_maxpool2d_backward_neon)
CNNI_KERNEL(vector_relu, neon, cnni_vector_relu_neon)
CNNI_KERNEL(vector_relu_backward, neon, cnni_vector_relu_backward_neon)
CNNI_KERNEL(vector_add, neon, cnni_vector_add_neon)
CNNI_KERNEL(vector_average, neon, cnni_vector_average_neon)
CNNI_KERNEL(vector_sum_squares, neon, cnni_vector_sum_squares_neon)
CNNI_KERNEL(transpose, neon, cnni_transpose_neon)
CNNI_KERNEL(softmax_exp, neon, cnni_softmax_exp_neon)
CNNI_KERNEL(softmax_backward, neon, cnni_softmax_backward_neon)
CNNI_KERNEL(optimizer_sgd, neon, cnni_optimizer_sgd_neon)
CNNI_KERNEL(optimizer_adam, neon, cnni_optimizer_adam_neon)

#endif

#undef CNNI_KERNEL
#undef CNNI_TILE_KERNEL
