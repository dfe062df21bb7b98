/* SPDX-License-Identifier: MIT
 * Gradients of double-precision functions by central differences, to hold the library's
 * against.  The library's own arithmetic has no part in them. */
#ifndef SUPPORT_GRADCHECK_H
#define SUPPORT_GRADCHECK_H

#include <stdint.h>

/* A number that depends on arrays that its owner knows. */
typedef double scalar_fn(void *user);

/* Fails the test unless the gradient `got` of `function` by `values` agrees with (f(values + h)
 * - f(values - h)) / 2h within 1e-4 of each element, or of 1 % of the largest where that is more;
 * for the first, the last and others by chance, at most 150 of the array.  `values` is as before
 * afterwards.  f has no kink within h = 1e-6 of `values`. */
void expect_gradient_of(const char *what, scalar_fn *function, void *user, double *values,
                        const float *got, int64_t count);

/* Numbers for functions with kinks at 0 and ties: shuffled, 2 / (count + 1) apart, half as far
 * from 0, between -1 and 1. */
void fill_apart(float *values, int64_t count, uint64_t seed);

/* A new array from malloc(), of doubles for floats, which have all of their bits. */
double *doubles_of(const float *values, int64_t count);

#endif
