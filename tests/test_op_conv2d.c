/* SPDX-License-Identifier: MIT
 * Convolution as a whole, forward, backward-data and backward-weights, on random shapes: against
 * a double-precision reference written from the formula, between unmapped pages; and equal bits
 * for any number of threads and for a sample alone or in a batch.  Single tiles:
 * test_kernels_conv2d.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/random.h"
#include "cnn/context.h"
#include "ops/op_conv2d.h"
#include "support/guarded.h"
#include "support/suite.h"
#include "support/tolerance.h"
#include "support/value.h"

/* ---- Shapes ---- */

static int64_t pick(struct cnni_random *random, const int64_t *choices, int32_t count)
{
    return choices[cnni_random_below(random, (uint32_t)count)];
}

#define PICK(random, ...)                                                                          \
    pick(random, (const int64_t[]){__VA_ARGS__}, CNNI_COUNT(((const int64_t[]){__VA_ARGS__})))

static void choose_axis(struct cnni_random *random, int64_t *size, int64_t *output, int64_t *kernel,
                        int64_t *stride, int64_t *dilation, int64_t *padding)
{
    int64_t after, window;
    do {
        *size = 1 + cnni_random_below(random, 20);
        *kernel = PICK(random, 1, 1, 2, 3, 3, 5, 7);
        *stride = PICK(random, 1, 1, 1, 2, 3, 4);
        *dilation = PICK(random, 1, 1, 2, 3);
        *padding = PICK(random, 0, 0, 1, 2, 3, 8);
        after = PICK(random, 0, *padding, *padding + 1);
        window = *dilation * (*kernel - 1) + 1;
    } while (*size + *padding + after < window);
    *output = (*size + *padding + after - window) / *stride + 1;
}

static struct cnni_conv2d choose_shape(struct cnni_random *random)
{
    struct cnni_conv2d conv = {.tile = 0, .filter_tile = 0};
    choose_axis(random, &conv.h, &conv.oh, &conv.r, &conv.stride_h, &conv.dilation_h,
                &conv.pad_top);
    choose_axis(random, &conv.w, &conv.ow, &conv.s, &conv.stride_w, &conv.dilation_w,
                &conv.pad_left);
    conv.groups = PICK(random, 1, 1, 1, 1, 2, 3, 9, 33);
    conv.c = PICK(random, 1, 3, 5, 16, 33);
    conv.k = PICK(random, 1, 2, 17, 64);
    if (conv.groups == 9 ||
        conv.groups == 33) /* depthwise, now and then several filters per channel */
        conv.c = conv.groups, conv.k = conv.groups * PICK(random, 1, 1, 2);
    else if (conv.groups > 1)
        conv.c = conv.groups * PICK(random, 1, 2, 5), conv.k = conv.groups * PICK(random, 1, 3, 17);
    return conv;
}

static size_t x_size(const struct cnni_conv2d *conv)
{
    return (size_t)(conv->h * conv->w * conv->c);
}

static size_t y_size(const struct cnni_conv2d *conv)
{
    return (size_t)(conv->oh * conv->ow * conv->k);
}

static size_t w_size(const struct cnni_conv2d *conv)
{
    return (size_t)(conv->r * conv->s * (conv->c / conv->groups) * conv->k);
}

static const char *show(const struct cnni_conv2d *conv, int64_t n)
{
    static char text[256];
    snprintf(text, sizeof text,
             "n %d, %dx%dx%d -> %dx%dx%d, kernel %dx%d stride %dx%d padding %d,%d dilation %dx%d "
             "groups %d",
             (int)n, (int)conv->h, (int)conv->w, (int)conv->c, (int)conv->oh, (int)conv->ow,
             (int)conv->k, (int)conv->r, (int)conv->s, (int)conv->stride_h, (int)conv->stride_w,
             (int)conv->pad_top, (int)conv->pad_left, (int)conv->dilation_h, (int)conv->dilation_w,
             (int)conv->groups);
    return text;
}

/* ---- Reference: each array as the exact sum and the sum of absolute values ---- */

struct sums {
    double *exact, *magnitude;
    size_t count;
    int64_t links; /* the most products in one sum */
};

static struct sums sums_create(size_t count)
{
    return (struct sums){calloc(count, sizeof(double)), calloc(count, sizeof(double)), count, 0};
}

static void sums_free(struct sums *sums)
{
    free(sums->exact);
    free(sums->magnitude);
}

static void sums_add(struct sums *sums, size_t place, double value)
{
    sums->exact[place] += value;
    sums->magnitude[place] += fabs(value);
}

/* The places of one product. */
struct product {
    size_t x, y, w;
};
typedef void product_fn(const struct product *product, void *user);

/* Calls `use` for every x * w that y is made of. */
static void each_product(const struct cnni_conv2d *conv, int64_t n, product_fn *use, void *user)
{
    const int64_t c_group = conv->c / conv->groups, k_group = conv->k / conv->groups;
    for (int64_t pixel = 0; pixel < n * conv->oh * conv->ow; pixel++)
        for (int64_t tap = 0; tap < conv->r * conv->s; tap++) {
            const int64_t i = pixel / conv->ow % conv->oh * conv->stride_h - conv->pad_top +
                              tap / conv->s * conv->dilation_h;
            const int64_t j = pixel % conv->ow * conv->stride_w - conv->pad_left +
                              tap % conv->s * conv->dilation_w;
            if (i < 0 || i >= conv->h || j < 0 || j >= conv->w)
                continue;
            const int64_t input = (pixel / (conv->oh * conv->ow) * conv->h + i) * conv->w + j;
            for (int64_t k = 0; k < conv->k; k++)
                for (int64_t c = 0; c < c_group; c++)
                    use(&(struct product){(size_t)(input * conv->c + k / k_group * c_group + c),
                                          (size_t)(pixel * conv->k + k),
                                          (size_t)((tap * c_group + c) * conv->k + k)},
                        user);
        }
}

/* ---- One problem ---- */

struct problem {
    struct cnni_conv2d conv;
    int64_t n;
    float *x, *w, *b, *dy;   /* given */
    float *y, *dx, *dw, *db; /* computed */
    struct sums y_sums, dx_sums, dw_sums, db_sums;
};

static void use_product(const struct product *product, void *user)
{
    struct problem *problem = user;
    const double x = problem->x[product->x], w = problem->w[product->w],
                 dy = problem->dy[product->y];
    sums_add(&problem->y_sums, product->y, x * w);
    sums_add(&problem->dx_sums, product->x, dy * w);
    sums_add(&problem->dw_sums, product->w, dy * x);
}

static void compute_reference(struct problem *problem)
{
    const struct cnni_conv2d *conv = &problem->conv;
    const size_t n = (size_t)problem->n;
    problem->y_sums = sums_create(n * y_size(conv));
    problem->dx_sums = sums_create(n * x_size(conv));
    problem->dw_sums = sums_create(w_size(conv));
    problem->db_sums = sums_create((size_t)conv->k);
    problem->y_sums.links = conv->r * conv->s * (conv->c / conv->groups) + 1;
    problem->dx_sums.links = conv->r * conv->s * (conv->k / conv->groups);
    problem->dw_sums.links = problem->db_sums.links = problem->n * conv->oh * conv->ow + 1;
    each_product(conv, problem->n, use_product, problem);
    for (size_t i = 0; i < n * y_size(conv); i++) {
        sums_add(&problem->y_sums, i, problem->b[i % (size_t)conv->k]);
        sums_add(&problem->db_sums, i % (size_t)conv->k, problem->dy[i]);
    }
    /* Gradients are added to what is there. */
    for (size_t i = 0; i < w_size(conv); i++)
        sums_add(&problem->dw_sums, i, problem->dw[i]);
    for (size_t i = 0; i < (size_t)conv->k; i++)
        sums_add(&problem->db_sums, i, problem->db[i]);
}

static void check_sums(const struct problem *problem, const char *what, const float *got,
                       const struct sums *sums, bool relu)
{
    for (size_t i = 0; i < sums->count; i++) {
        const double bound = tolerance_sum(sums->links, sums->magnitude[i]);
        const double exact = relu && sums->exact[i] < 0 ? 0 : sums->exact[i];
        assert_value(tolerance_close(got[i], exact, bound),
                     "%s[%zu] of %s: got %.9g, exact %.9g, bound %g", what, i,
                     show(&problem->conv, problem->n), (double)got[i], exact, bound);
    }
}

static void fill(struct cnni_random *random, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(2 * cnni_random_uniform(random) - 1);
}

/* ---- Memory between unmapped pages, made once per test ---- */

enum { X, W, B, DY, Y, DX, DW, DB, PACKED, SCRATCH, BUFFERS };

static struct guarded buffers[BUFFERS];

static void create_buffers(size_t bytes)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], bytes);
}

static void free_buffers(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

static void place(struct problem *problem, enum guarded_side side)
{
    const struct cnni_conv2d *conv = &problem->conv;
    const size_t n = (size_t)problem->n, k = (size_t)conv->k;
    problem->x = guarded_floats(&buffers[X], side, n * x_size(conv));
    problem->dx = guarded_floats(&buffers[DX], side, n * x_size(conv));
    problem->y = guarded_floats(&buffers[Y], side, n * y_size(conv));
    problem->dy = guarded_floats(&buffers[DY], side, n * y_size(conv));
    problem->w = guarded_floats(&buffers[W], side, w_size(conv));
    problem->dw = guarded_floats(&buffers[DW], side, w_size(conv));
    problem->b = guarded_floats(&buffers[B], side, k);
    problem->db = guarded_floats(&buffers[DB], side, k);
}

/* Scratch is aligned to 64 bytes; so it ends exactly at the unmapped page only when its size is. */
static float *place_aligned(int buffer, enum guarded_side side, size_t count)
{
    return guarded_floats(&buffers[buffer], side, (count + 15) / 16 * 16);
}

static void run(cnn_context *context, struct problem *problem, enum guarded_side side,
                int32_t lanes, bool relu)
{
    const struct cnni_conv2d *conv = &problem->conv;
    struct cnni_conv2d_sizes sizes;
    ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, conv, problem->n, lanes, true, "test"),
                     CNN_OK);
    struct cnni_conv2d_call call = {context, conv, problem->n, lanes, NULL, NULL, NULL};

    float *packed = guarded_floats(&buffers[PACKED], side, sizes.forward_weights);
    call.scratch = place_aligned(SCRATCH, side, sizes.forward);
    memset(call.scratch, 0xFF, sizes.forward * sizeof(float));
    cnni_conv2d_pack_forward(context, lanes, conv, packed, problem->w);
    cnni_conv2d_forward(&call, problem->y, problem->x, packed, problem->b, relu);

    packed = guarded_floats(&buffers[PACKED], side, sizes.backward_weights);
    call.scratch = place_aligned(SCRATCH, side, sizes.backward_data);
    memset(call.scratch, 0xFF, sizes.backward_data * sizeof(float));
    memset(problem->dx, 0xFF, (size_t)problem->n * x_size(conv) * sizeof(float));
    cnni_conv2d_pack_backward(context, lanes, conv, packed, problem->w);
    cnni_conv2d_backward_data(&call, problem->dx, problem->dy, packed);

    call.scratch = place_aligned(SCRATCH, side, sizes.backward_filter);
    memset(call.scratch, 0xFF, sizes.backward_filter * sizeof(float));
    cnni_conv2d_backward_filter(&call, problem->dw, problem->db, problem->x, problem->dy);
}

static void fill_problem(struct cnni_random *random, struct problem *problem)
{
    const struct cnni_conv2d *conv = &problem->conv;
    const size_t n = (size_t)problem->n;
    fill(random, problem->x, n * x_size(conv));
    fill(random, problem->dy, n * y_size(conv));
    fill(random, problem->w, w_size(conv));
    fill(random, problem->b, (size_t)conv->k);
    fill(random, problem->dw, w_size(conv));
    fill(random, problem->db, (size_t)conv->k);
}

static cnn_context *create_context(int32_t threads)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    ck_assert_int_eq(cnn_context_set_threads(context, threads), CNN_OK);
    return context;
}

/* ---- Against the reference ---- */

static void check_problem(cnn_context *context, struct cnni_random *random, struct problem *problem,
                          enum guarded_side side, bool relu)
{
    place(problem, side);
    fill_problem(random, problem);
    compute_reference(problem);
    run(context, problem, side, 1, relu);
    check_sums(problem, "y", problem->y, &problem->y_sums, relu);
    check_sums(problem, "dx", problem->dx, &problem->dx_sums, false);
    check_sums(problem, "dw", problem->dw, &problem->dw_sums, false);
    check_sums(problem, "db", problem->db, &problem->db_sums, false);
    sums_free(&problem->y_sums);
    sums_free(&problem->dx_sums);
    sums_free(&problem->dw_sums);
    sums_free(&problem->db_sums);
}

enum { LOOPS = 8, SHAPES = 40 };

START_TEST(random_shapes_match_reference)
{
    cnn_context *context = create_context(1);
    struct cnni_random random;
    cnni_random_start(&random, 1, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    create_buffers(24 << 20);
    for (int i = 0; i < SHAPES; i++) {
        struct problem problem = {.conv = choose_shape(&random),
                                  .n = 1 + cnni_random_below(&random, 4)};
        if (problem.conv.r * problem.conv.s * problem.conv.oh * problem.conv.ow > 4000)
            problem.n = 1;
        check_problem(context, &random, &problem, i % 2 ? GUARDED_END : GUARDED_BEGIN, i % 3 == 0);
    }
    free_buffers();
    cnn_context_free(context);
}
END_TEST

/* Shapes with something to them that small random ones do not have. */
static const struct {
    int64_t n;
    struct cnni_conv2d conv;
} special[] = {
    /* many channels: chains cut into pieces, odd pitch of copies, in both directions */
    {2, {5, 6, 150, 140, 3, 3, 5, 6, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {1, {4, 4, 600, 20, 2, 2, 3, 3, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    /* a dense layer: long chain, many rows of dw, few pixels */
    {5, {1, 1, 1100, 600, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {13, {1, 1, 1100, 37, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {1, {1, 1, 700, 2, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    /* single pixels joined over pictures, and cut into strips */
    {3, {31, 17, 6, 5, 1, 1, 31, 17, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    /* several strips in a picture, and several pictures in a strip */
    {2, {70, 70, 3, 4, 3, 3, 70, 70, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {40, {3, 3, 4, 6, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    /* a kernel larger than a strip, and larger than the picture */
    {1, {60, 9, 2, 3, 41, 3, 30, 9, 1, 1, 5, 1, 1, 1, 1, 0, 0, false}},
    {2, {3, 4, 2, 3, 7, 7, 3, 4, 1, 1, 3, 3, 1, 1, 1, 0, 0, false}},
    /* borders: chains in pieces, joined runs, kernels that reach over both sides at once */
    {3, {7, 7, 130, 20, 3, 3, 7, 7, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {1, {9, 6, 600, 18, 3, 3, 9, 6, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {5, {8, 9, 250, 5, 5, 5, 8, 9, 1, 1, 2, 2, 1, 1, 1, 0, 0, false}},
    {3, {6, 7, 3, 5, 7, 9, 6, 7, 1, 1, 3, 4, 1, 1, 1, 0, 0, false}},
    /* borders that no window leaves: some outputs are the bias alone */
    {2, {5, 6, 4, 3, 3, 2, 9, 8, 1, 1, 4, 2, 1, 1, 1, 0, 0, false}},
    /* strides past the kernel, dilations with a divisor of the stride, pixels nobody reads */
    {2, {11, 13, 3, 5, 2, 3, 3, 4, 5, 4, 1, 1, 1, 1, 1, 0, 0, false}},
    {2, {16, 16, 3, 5, 3, 2, 6, 5, 2, 4, 0, 1, 2, 6, 1, 0, 0, false}},
    {1, {9, 9, 3, 5, 1, 1, 2, 2, 4, 6, 0, 0, 1, 1, 1, 0, 0, false}},
    /* the usual first layers */
    {1, {20, 22, 3, 16, 7, 7, 10, 11, 2, 2, 3, 3, 1, 1, 1, 0, 0, false}},
    /* depthwise with strides and with many taps */
    {2, {12, 11, 40, 40, 5, 5, 6, 6, 2, 2, 2, 2, 1, 1, 40, 0, 0, false}},
};

START_TEST(special_shapes_match_reference)
{
    cnn_context *context = create_context(1);
    struct cnni_random random;
    cnni_random_start(&random, 2, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    create_buffers(24 << 20);
    for (enum guarded_side side = 0; side < GUARDED_SIDES; side++) {
        struct problem problem = {.conv = special[_i].conv, .n = special[_i].n};
        check_problem(context, &random, &problem, side, side == GUARDED_END);
    }
    free_buffers();
    cnn_context_free(context);
}
END_TEST

/* What lies outside of a picture is left out, not multiplied by 0: a NaN among the weights of the
 * first tap leaves the first row and column alone. */
START_TEST(outside_is_left_out)
{
    enum { SIZE = 9 };
    cnn_context *context = create_context(1);
    struct cnni_random random;
    cnni_random_start(&random, 6, CNNI_RANDOM_CHECK, 0, 0);
    create_buffers(1 << 20);
    struct problem problem = {
        .conv = {SIZE, SIZE, 5, 1, 3, 3, SIZE, SIZE, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}, .n = 3};
    place(&problem, GUARDED_END);
    fill_problem(&random, &problem);
    problem.w[2] = NAN;
    run(context, &problem, GUARDED_END, 1, false);
    for (int64_t i = 0; i < problem.n * SIZE * SIZE; i++)
        ck_assert_int_eq(isnan(problem.y[i]) != 0, i / SIZE % SIZE > 0 && i % SIZE > 0);
    free_buffers();
    cnn_context_free(context);
}
END_TEST

/* ---- Equal bits ---- */

static float *copy(const float *values, size_t count)
{
    float *copied = malloc((count + 1) * sizeof *copied);
    memcpy(copied, values, count * sizeof *copied);
    return copied;
}

static const struct {
    int64_t n;
    struct cnni_conv2d conv;
} threaded[] = {
    {5, {19, 18, 7, 33, 3, 3, 10, 18, 2, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {33, {6, 6, 5, 17, 3, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {9, {1, 1, 300, 70, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {3, {40, 40, 3, 20, 3, 3, 40, 40, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {6, {13, 13, 24, 24, 3, 3, 13, 13, 1, 1, 1, 1, 1, 1, 24, 0, 0, false}},
    {2, {9, 9, 6, 20, 3, 3, 9, 9, 1, 1, 1, 1, 1, 1, 2, 0, 0, false}},
};

START_TEST(threads_do_not_change_bits)
{
    struct cnni_random random;
    cnni_random_start(&random, 3, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    create_buffers(24 << 20);
    struct problem problem = {.conv = threaded[_i].conv, .n = threaded[_i].n};
    const size_t counts[4] = {(size_t)problem.n * y_size(&problem.conv),
                              (size_t)problem.n * x_size(&problem.conv), w_size(&problem.conv),
                              (size_t)problem.conv.k};
    float *first[4] = {NULL};
    static const int32_t threads[] = {1, 2, 3, 7};
    place(&problem, GUARDED_END);
    fill_problem(&random, &problem);
    for (int i = 0; i < CNNI_COUNT(threads); i++) {
        cnn_context *context = create_context(threads[i]);
        memset(problem.dw, 0, counts[2] * sizeof(float));
        memset(problem.db, 0, counts[3] * sizeof(float));
        run(context, &problem, GUARDED_END, threads[i], false);
        const float *results[4] = {problem.y, problem.dx, problem.dw, problem.db};
        for (int j = 0; j < 4; j++) {
            if (i == 0)
                first[j] = copy(results[j], counts[j]);
            ck_assert_msg(memcmp(first[j], results[j], counts[j] * sizeof(float)) == 0,
                          "result %d of %s differs between 1 and %d threads", j,
                          show(&problem.conv, problem.n), (int)threads[i]);
        }
        cnn_context_free(context);
    }
    for (int j = 0; j < 4; j++)
        free(first[j]);
    free_buffers();
}
END_TEST

/* Forward and backward-data of the first samples alone, and in batches. */
START_TEST(batch_does_not_change_bits)
{
    struct cnni_random random;
    cnni_random_start(&random, 4, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    create_buffers(24 << 20);
    struct problem problem = {.conv = threaded[_i].conv, .n = 32};
    const size_t y_count = y_size(&problem.conv), x_count = x_size(&problem.conv);
    cnn_context *context = create_context(2);
    place(&problem, GUARDED_BEGIN);
    fill_problem(&random, &problem);
    run(context, &problem, GUARDED_BEGIN, 2, false);
    float *y = copy(problem.y, 32 * y_count), *dx = copy(problem.dx, 32 * x_count);
    static const int64_t batches[] = {1, 2, 7};
    for (int i = 0; i < CNNI_COUNT(batches); i++) {
        problem.n = batches[i];
        run(context, &problem, GUARDED_BEGIN, 2, false);
        ck_assert_msg(memcmp(y, problem.y, (size_t)problem.n * y_count * sizeof(float)) == 0,
                      "y differs: %s", show(&problem.conv, problem.n));
        ck_assert_msg(memcmp(dx, problem.dx, (size_t)problem.n * x_count * sizeof(float)) == 0,
                      "dx differs: %s", show(&problem.conv, problem.n));
    }
    free(y);
    free(dx);
    cnn_context_free(context);
    free_buffers();
}
END_TEST

/* An output so large that it goes past the caches, against the same in halves, which do not. */
START_TEST(large_outputs_have_the_same_bits)
{
    const struct cnni_conv2d conv = {256, 256, 1, 64, 1, 1, 256, 256, 1,
                                     1,   0,   0, 1,  1, 1, 0,   0,   false};
    const size_t x_count = x_size(&conv), y_count = y_size(&conv);
    cnn_context *context = create_context(2);
    struct cnni_conv2d_sizes sizes;
    ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, &conv, 2, 2, true, "test"), CNN_OK);
    float *x = aligned_alloc(64, 2 * x_count * sizeof *x), *w = aligned_alloc(64, 64 * sizeof *w);
    float *whole = aligned_alloc(64, 2 * y_count * sizeof *x),
          *half = aligned_alloc(64, y_count * sizeof *x);
    float *packed = aligned_alloc(64, (sizes.forward_weights + 16) * sizeof *x);
    struct cnni_random random;
    cnni_random_start(&random, 5, CNNI_RANDOM_CHECK, 0, 0);
    fill(&random, x, 2 * x_count);
    fill(&random, w, 64);
    cnni_conv2d_pack_forward(context, 2, &conv, packed, w);
    float *scratch = aligned_alloc(64, (sizes.forward + 16) / 16 * 64);
    struct cnni_conv2d_call call = {context, &conv, 2, 2, scratch, NULL, NULL};
    cnni_conv2d_forward(&call, whole, x, packed, NULL, true);
    call.n = 1;
    for (size_t i = 0; i < 2; i++) {
        cnni_conv2d_forward(&call, half, x + i * x_count, packed, NULL, true);
        ck_assert(memcmp(whole + i * y_count, half, y_count * sizeof *half) == 0);
    }
    free(scratch);
    free(packed);
    free(half);
    free(whole);
    free(w);
    free(x);
    cnn_context_free(context);
}
END_TEST

START_TEST(too_large_is_refused)
{
    cnn_context *context = create_context(1);
    const int64_t huge = 1 << 24, wide = (int64_t)1 << 31, far = huge * huge / 2;
    const struct cnni_conv2d conv = {1, wide, huge, 1,    huge, 1, 1, wide, 1,
                                     1, far,  0,    huge, 1,    1, 0, 0,    false};
    struct cnni_conv2d_sizes sizes;
    ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, &conv, 1, 1, false, "test"),
                     CNN_ERROR_SHAPE);
    /* So many pixels that their number would wrap to 0, with the pixels one by one or not. */
    struct cnni_conv2d square = {.h = 1 << 29, .w = 1 << 29, .oh = 1 << 29, .ow = 1 << 29};
    square.c = square.k = square.s = square.groups = 1;
    square.stride_h = square.stride_w = square.dilation_h = square.dilation_w = 1;
    for (square.r = 1; square.r <= 2; square.r++)
        for (int training = 0; training <= 1; training++)
            ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, &square, 64, 1, training, "test"),
                             CNN_ERROR_SHAPE);
    cnn_context_free(context);
}
END_TEST

/* Of 2^32 phases of the input, one is reached by the kernel. */
START_TEST(phases_that_nothing_reaches_cost_nothing)
{
    cnn_context *context = create_context(1);
    const int64_t side = 1 << 16;
    const struct cnni_conv2d conv = {side, side, 1, 1, 1, 1, 1, 1, side,
                                     side, 0,    0, 1, 1, 1, 0, 0, false};
    struct cnni_conv2d_sizes sizes;
    ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, &conv, 1, 1, true, "test"), CNN_OK);
    ck_assert_uint_le(sizes.backward_weights, 64);
    ck_assert_int_eq(cnni_conv2d_measure(&sizes, context, &conv, 1, 1, false, "test"), CNN_OK);
    ck_assert_uint_eq(sizes.backward_weights + sizes.backward_data + sizes.backward_filter, 0);
    cnn_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("op_conv2d");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, random_shapes_match_reference, 0, LOOPS);
    tcase_add_loop_test(tcase, special_shapes_match_reference, 0, CNNI_COUNT(special));
    tcase_add_test(tcase, outside_is_left_out);
    tcase_add_loop_test(tcase, threads_do_not_change_bits, 0, CNNI_COUNT(threaded));
    tcase_add_loop_test(tcase, batch_does_not_change_bits, 0, CNNI_COUNT(threaded));
    tcase_add_test(tcase, large_outputs_have_the_same_bits);
    tcase_add_test(tcase, too_large_is_refused);
    tcase_add_test(tcase, phases_that_nothing_reaches_cost_nothing);
    Suite *suite = suite_create("op_conv2d");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
