/* SPDX-License-Identifier: MIT
 * Winograd convolutions against the direct sums in double precision: forward, backward-data and
 * backward-weights, tiles of 2x2 and 4x4, pictures that are no multiple of them, all paddings.
 *
 * The bound is derived.  Each output is A' [sum of (G g G') (B' d B)] A, a sum of products whose
 * factors are at most as large as the same formula with absolute values everywhere, M.  A product
 * is rounded at most so often: 8 times in the transform of the weights (two columns of 4), 8 in
 * that of the inputs, once for each link of the sum, 10 in the transform of the outputs.  So
 *   |got - exact| <= gamma(links + 26) * M,  gamma as in support/tolerance.h.
 * M is some hundred times the sum of |x w|, which is Winograd's price; what is measured is far
 * below, and held to a second bound, a share of the largest output. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/random.h"
#include "cnn/context.h"
#include "ops/op_conv2d.h"
#include "support/suite.h"
#include "support/tolerance.h"
#include "support/winograd_matrices.h"

enum { ROUNDINGS = 26 };

/* Of the largest output: three times the 8.1e-7 and 5.6e-6 that were measured here. */
#define SHARE(tile) ((tile) == 2 ? 2.5e-6 : 1.7e-5)

/* ---- A problem ---- */

struct problem {
    struct cnni_conv2d conv;
    int64_t n;
    float *x, *w, *b, *dy, *y, *dx, *dw, *db;
    double *y_exact, *dx_exact, *dw_exact, *db_exact;
};

static struct cnni_random random_numbers;

static float *drawn(int64_t count)
{
    float *values = aligned_alloc(64, ((size_t)count * sizeof *values + 63) / 64 * 64);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(2 * cnni_random_uniform(&random_numbers) - 1);
    return values;
}

static int64_t x_count(const struct problem *p)
{
    return p->n * p->conv.h * p->conv.w * p->conv.c;
}

static int64_t y_count(const struct problem *p)
{
    return p->n * p->conv.oh * p->conv.ow * p->conv.k;
}

static int64_t w_count(const struct problem *p)
{
    return 9 * p->conv.c * p->conv.k;
}

static void create(struct problem *p, int64_t n, int64_t h, int64_t w, int64_t c, int64_t k,
                   int64_t pad_top, int64_t pad_left, int32_t tile)
{
    *p = (struct problem){.n = n,
                          .conv = {.h = h,
                                   .w = w,
                                   .c = c,
                                   .k = k,
                                   .r = 3,
                                   .s = 3,
                                   .oh = h + 2 * pad_top - 2,
                                   .ow = w + 2 * pad_left - 2,
                                   .stride_h = 1,
                                   .stride_w = 1,
                                   .pad_top = pad_top,
                                   .pad_left = pad_left,
                                   .dilation_h = 1,
                                   .dilation_w = 1,
                                   .groups = 1,
                                   .tile = tile,
                                   .filter_tile = tile}};
    p->x = drawn(x_count(p));
    p->w = drawn(w_count(p));
    p->b = drawn(k);
    p->dy = drawn(y_count(p));
    p->y = drawn(y_count(p));
    p->dx = drawn(x_count(p));
    p->dw = drawn(w_count(p));
    p->db = drawn(k);
    p->y_exact = calloc((size_t)y_count(p), sizeof(double));
    p->dx_exact = calloc((size_t)x_count(p), sizeof(double));
    p->dw_exact = calloc((size_t)w_count(p), sizeof(double));
    p->db_exact = calloc((size_t)k, sizeof(double));
}

static void destroy(struct problem *p)
{
    void *all[] = {p->x,  p->w,  p->b,       p->dy,       p->y,        p->dx,
                   p->dw, p->db, p->y_exact, p->dx_exact, p->dw_exact, p->db_exact};
    for (int i = 0; i < CNNI_COUNT(all); i++)
        free(all[i]);
}

static void add_pixel_tap(struct problem *p, int64_t pixel, int64_t input, int64_t tap)
{
    const int64_t c_count = p->conv.c, k_count = p->conv.k;
    for (int64_t c = 0; c < c_count; c++)
        for (int64_t k = 0; k < k_count; k++) {
            const int64_t w = (tap * c_count + c) * k_count + k;
            const double x = p->x[input * c_count + c], dy = p->dy[pixel * k_count + k];
            p->y_exact[pixel * k_count + k] += x * (double)p->w[w];
            p->dx_exact[input * c_count + c] += dy * (double)p->w[w];
            p->dw_exact[w] += dy * x;
        }
}

/* The definition. */
static void compute_exact(struct problem *p)
{
    const struct cnni_conv2d *conv = &p->conv;
    for (int64_t i = 0; i < w_count(p); i++)
        p->dw_exact[i] = p->dw[i];
    for (int64_t k = 0; k < conv->k; k++)
        p->db_exact[k] = p->db[k];
    for (int64_t pixel = 0; pixel < p->n * conv->oh * conv->ow; pixel++) {
        const int64_t picture = pixel / (conv->oh * conv->ow);
        for (int64_t tap = 0; tap < 9; tap++) {
            const int64_t i = pixel / conv->ow % conv->oh - conv->pad_top + tap / 3;
            const int64_t j = pixel % conv->ow - conv->pad_left + tap % 3;
            if (i >= 0 && i < conv->h && j >= 0 && j < conv->w)
                add_pixel_tap(p, pixel, (picture * conv->h + i) * conv->w + j, tap);
        }
        for (int64_t k = 0; k < conv->k; k++) {
            p->y_exact[pixel * conv->k + k] += (double)p->b[k];
            p->db_exact[k] += (double)p->dy[pixel * conv->k + k];
        }
    }
}

/* ---- The derived bound: the largest row sums of |A'|, |B'| and |G|, squared, bound M ---- */

static double row_sum(const double *row, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += fabs(row[i]);
    return sum;
}

/* M of a sum of `links` products of numbers of at most 1.  Of a point, |G g G'| <= s(G) and |B' d
 * B| <= s(B) with s the square of the row's sum; the output's rows weigh the points. */
static double largest_magnitude(int32_t tile, int64_t links, bool filter)
{
    const int set = tile == 4, points = tile + 2;
    double most = 0;
    for (int i = 0; i < (filter ? 3 : tile); i++) {
        double sum = 0; /* of one side; both sides are alike */
        for (int p = 0; p < points; p++) {
            double a_column = 0;
            for (int j = 0; j < tile; j++)
                a_column += fabs(a_transposed[set][j][p]);
            const double b = row_sum(b_transposed[set][p], points);
            const double g = row_sum(g_matrix[set][p], 3);
            sum += filter ? fabs(g_matrix[set][p][i]) * b * a_column
                          : fabs(a_transposed[set][i][p]) * b * g;
        }
        most = CNNI_MAX(most, sum * sum);
    }
    return most * (double)links;
}

static void check(const struct problem *p, const char *what, const float *got, const double *exact,
                  int64_t count, double magnitude, int64_t links)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = CNNI_MAX(largest, fabs(exact[i]));
        worst = CNNI_MAX(worst, fabs((double)got[i] - exact[i]));
    }
    const double derived = tolerance_sum(links + ROUNDINGS, magnitude);
    const double measured = SHARE(p->conv.tile) * largest;
    ck_assert_msg(worst <= derived && worst <= measured,
                  "%s of n %d, %dx%dx%d -> %d, padding %d,%d, F(%d): off by %g, derived bound %g, "
                  "%g of the largest",
                  what, (int)p->n, (int)p->conv.h, (int)p->conv.w, (int)p->conv.c, (int)p->conv.k,
                  (int)p->conv.pad_top, (int)p->conv.pad_left, (int)p->conv.tile, worst, derived,
                  worst / largest);
}

/* ---- Running ---- */

static void run(struct problem *p, int32_t lanes)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    ck_assert_int_eq(cnn_context_set_threads(context, lanes), CNN_OK);
    struct cnni_conv2d_sizes sizes;
    ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, &p->conv, p->n, lanes, true, "test"),
                     CNN_OK);
    const size_t scratch =
        CNNI_MAX(sizes.forward, CNNI_MAX(sizes.backward_data, sizes.backward_filter));
    float *packed = drawn((int64_t)CNNI_MAX(sizes.forward_weights, sizes.backward_weights));
    const struct cnni_conv2d_call call = {.context = context,
                                          .conv = &p->conv,
                                          .n = p->n,
                                          .lanes = lanes,
                                          .scratch = drawn((int64_t)scratch)};
    cnni_conv2d_pack_forward(context, lanes, &p->conv, packed, p->w);
    cnni_conv2d_forward(&call, p->y, p->x, packed, p->b, false);
    cnni_conv2d_pack_backward(context, lanes, &p->conv, packed, p->w);
    cnni_conv2d_backward_data(&call, p->dx, p->dy, packed);
    cnni_conv2d_backward_filter(&call, p->dw, p->db, p->x, p->dy);
    free(packed);
    free(call.scratch);
    cnn_context_free(context);
}

static const struct {
    int64_t n, h, w, c, k, pad_top, pad_left;
} shapes[] = {
    {1, 8, 8, 32, 32, 1, 1},  {3, 9, 7, 33, 40, 1, 1},  {2, 6, 11, 20, 18, 0, 0},
    {2, 5, 5, 17, 70, 2, 2},  {1, 13, 6, 5, 3, 0, 2},   {40, 4, 4, 8, 8, 1, 1},
    {1, 3, 3, 4, 4, 0, 0},    {2, 4, 5, 600, 12, 1, 0}, {1, 7, 9, 16, 1, 3, 1},
    {70, 12, 12, 4, 6, 1, 1},
};

START_TEST(winograd_is_a_convolution)
{
    cnni_random_start(&random_numbers, 3, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    for (int32_t tile = 2; tile <= 4; tile += 2) {
        struct problem p;
        create(&p, shapes[_i].n, shapes[_i].h, shapes[_i].w, shapes[_i].c, shapes[_i].k,
               shapes[_i].pad_top, shapes[_i].pad_left, tile);
        const int64_t pixels = p.n * p.conv.oh * p.conv.ow;
        compute_exact(&p);
        run(&p, 2);
        check(&p, "y", p.y, p.y_exact, y_count(&p), largest_magnitude(tile, p.conv.c, false) + 1,
              p.conv.c);
        check(&p, "dx", p.dx, p.dx_exact, x_count(&p), largest_magnitude(tile, p.conv.k, false),
              p.conv.k);
        check(&p, "dw", p.dw, p.dw_exact, w_count(&p), largest_magnitude(tile, pixels, true) + 1,
              pixels);
        check(&p, "db", p.db, p.db_exact, p.conv.k, (double)pixels + 1, pixels);
        destroy(&p);
    }
}
END_TEST

/* Cut into blocks, into parts of stages, or picture by picture: the same bits. */
START_TEST(bits_do_not_depend_on_threads_or_batch)
{
    struct problem whole, part;
    cnni_random_start(&random_numbers, 5, CNNI_RANDOM_CHECK, 0, 0);
    create(&whole, 24, 20, 20, 32, 32, 1, 1, 4);
    run(&whole, 1);
    for (int32_t threads = 2; threads <= 7; threads += 5) {
        create(&part, 24, 20, 20, 32, 32, 1, 1, 4);
        memcpy(part.x, whole.x, (size_t)x_count(&whole) * sizeof(float));
        memcpy(part.w, whole.w, (size_t)w_count(&whole) * sizeof(float));
        memcpy(part.b, whole.b, 32 * sizeof(float));
        memcpy(part.dy, whole.dy, (size_t)y_count(&whole) * sizeof(float));
        run(&part, threads);
        ck_assert(memcmp(part.y, whole.y, (size_t)y_count(&whole) * sizeof(float)) == 0);
        ck_assert(memcmp(part.dx, whole.dx, (size_t)x_count(&whole) * sizeof(float)) == 0);
        part.n = 1;
        memset(part.y, 0, (size_t)y_count(&part) * sizeof(float));
        run(&part, 1);
        ck_assert(memcmp(part.y, whole.y, (size_t)y_count(&part) * sizeof(float)) == 0);
        destroy(&part);
    }
    destroy(&whole);
}
END_TEST

/* ---- The choice ---- */

START_TEST(the_choice_follows_the_shape)
{
    static const struct {
        int64_t side, c, k, n;
        int32_t most, tile, filter_tile;
    } choices[] = {
        {64, 32, 64, 32, 4, 4, 4},  {64, 32, 64, 32, 2, 2, 2},  {64, 32, 64, 32, 0, 0, 0},
        {64, 31, 64, 32, 4, 0, 0},  {64, 32, 8, 32, 4, 0, 0},   {16, 128, 128, 3, 4, 4, 0},
        {7, 512, 512, 32, 4, 4, 4}, {7, 512, 512, 15, 4, 4, 0}, {5, 64, 64, 32, 4, 0, 0},
        {4, 64, 64, 32, 4, 2, 2},
    };
    for (int i = 0; i < CNNI_COUNT(choices); i++) {
        struct problem p;
        create(&p, 1, choices[i].side, choices[i].side, choices[i].c, choices[i].k, 1, 1, 4);
        cnni_conv2d_choose(&p.conv, choices[i].most, choices[i].n);
        ck_assert_msg(p.conv.tile == choices[i].tile &&
                          p.conv.filter_tile == choices[i].filter_tile,
                      "row %d: tiles %d and %d", i, (int)p.conv.tile, (int)p.conv.filter_tile);
        p.conv.stride_h = 2;
        cnni_conv2d_choose(&p.conv, choices[i].most, choices[i].n);
        ck_assert_int_eq(p.conv.tile, 0);
        destroy(&p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("op_winograd");
    TCase *tcase = tcase_create("winograd");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, winograd_is_a_convolution, 0, CNNI_COUNT(shapes));
    tcase_add_test(tcase, bits_do_not_depend_on_threads_or_batch);
    tcase_add_test(tcase, the_choice_follows_the_shape);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
