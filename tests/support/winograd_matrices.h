/* SPDX-License-Identifier: MIT
 * The matrices B', A' and G of Winograd's F(2x2, 3x3), index 0, and F(4x4, 3x3), index 1, as in
 * Lavin and Gray (2016): what the tests compare with. */
#ifndef CNN_TEST_WINOGRAD_MATRICES_H
#define CNN_TEST_WINOGRAD_MATRICES_H

enum { POINTS = 6, MOST = 4, KERNEL = 3 };

static const double b_transposed[2][POINTS][POINTS] = {
    {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
    {{4, 0, -5, 0, 1, 0},
     {0, -4, -4, 1, 1, 0},
     {0, 4, -4, -1, 1, 0},
     {0, -2, -1, 2, 1, 0},
     {0, 2, -1, -2, 1, 0},
     {0, 4, 0, -5, 0, 1}},
};
static const double a_transposed[2][MOST][POINTS] = {
    {{1, 1, 1, 0}, {0, 1, -1, -1}},
    {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}},
};
static const double g_matrix[2][POINTS][KERNEL] = {
    {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
    {{1.0 / 4, 0, 0},
     {-1.0 / 6, -1.0 / 6, -1.0 / 6},
     {-1.0 / 6, 1.0 / 6, -1.0 / 6},
     {1.0 / 24, 1.0 / 12, 1.0 / 6},
     {1.0 / 24, -1.0 / 12, 1.0 / 6},
     {0, 0, 1}},
};

#endif
