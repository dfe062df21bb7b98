/* SPDX-License-Identifier: MIT
 * Central differences. */
#include "support/gradcheck.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "support/tensors.h"

/* Rounding of f makes an error of about 2^-53 / h = 1e-10 of it, the third derivative one of h^2
 * / 6. */
static const double h = 1e-6;

enum { MOST_ELEMENTS = 150 };

static double central_difference(scalar_fn *function, void *user, double *value)
{
    double before = *value;
    *value = before + h;
    double above = function(user);
    *value = before - h;
    double below = function(user);
    *value = before;
    return (above - below) / (2 * h);
}

void expect_gradient_of(const char *what, scalar_fn *function, void *user, double *values,
                        const float *got, int64_t count)
{
    static double wanted[MOST_ELEMENTS];
    static float compared[MOST_ELEMENTS];
    int64_t elements = count < MOST_ELEMENTS ? count : MOST_ELEMENTS;
    for (int64_t i = 0; i < elements; i++) {
        int64_t element = i * count / elements;
        wanted[i] = central_difference(function, user, &values[element]);
        compared[i] = got[element];
    }
    expect_close(what, compared, wanted, elements, 1e-4);
}

void fill_apart(float *values, int64_t count, uint64_t seed)
{
    float *keys = malloc((size_t)count * sizeof *keys);
    ck_assert_ptr_nonnull(keys);
    fill_floats(keys, count, seed);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(2 * i + 1 - count + count % 2) / (float)(count + 1);
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t other = (int64_t)((keys[i] + 1) / 2 * (float)(i + 1));
        float value = values[i];
        values[i] = values[other];
        values[other] = value;
    }
    free(keys);
}

double *doubles_of(const float *values, int64_t count)
{
    double *doubles = malloc((size_t)count * sizeof *doubles);
    ck_assert_ptr_nonnull(doubles);
    for (int64_t i = 0; i < count; i++)
        doubles[i] = (double)values[i];
    return doubles;
}
