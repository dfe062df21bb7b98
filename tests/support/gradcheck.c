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

/* An element that happens to cancel out has no relative accuracy: it counts as 1 % of the largest.
 * The worst of all tests, layers and levels uses 0.15 of this tolerance. */
static const double tolerance = 1e-4, floor_share = 0.01;

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

/* All elements; where there are too many, the first, the last, and others by chance. */
static int64_t choose_elements(int64_t element[MOST_ELEMENTS], int64_t count)
{
    float chance[MOST_ELEMENTS];
    if (count <= MOST_ELEMENTS) {
        for (int64_t i = 0; i < count; i++)
            element[i] = i;
        return count;
    }
    fill_floats(chance, MOST_ELEMENTS, (uint64_t)count);
    for (int64_t i = 0; i < MOST_ELEMENTS; i++)
        element[i] = (int64_t)(((double)chance[i] + 1) / 2 * (double)(count - 1));
    element[0] = 0;
    element[1] = count - 1;
    return MOST_ELEMENTS;
}

void expect_gradient_of(const char *what, scalar_fn *function, void *user, double *values,
                        const float *got, int64_t count)
{
    double wanted[MOST_ELEMENTS];
    int64_t element[MOST_ELEMENTS];
    const int64_t elements = choose_elements(element, count);
    double largest = 0;
    for (int64_t i = 0; i < elements; i++) {
        wanted[i] = central_difference(function, user, &values[element[i]]);
        largest = fmax(largest, fabs(wanted[i]));
    }
    for (int64_t i = 0; i < elements; i++) {
        const double found = (double)got[element[i]];
        const double allowed = tolerance * fmax(fabs(wanted[i]), floor_share * largest);
        if (!(fabs(found - wanted[i]) <= allowed))
            ck_abort_msg("%s: element %lld of %lld is %.9g, must be %.9g within %.3g", what,
                         (long long)element[i], (long long)count, found, wanted[i], allowed);
    }
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
