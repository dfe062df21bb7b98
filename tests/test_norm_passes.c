/* SPDX-License-Identifier: MIT
 * How often batch normalisation goes over its tensors in a training step, with what it does along
 * with itself, counted by kernels in front of the library's: memory decides how fast it is. */
#include <math.h>
#include <string.h>

#include "cnn.h"
#include "kernels/kernels.h"
#include "ops/op_batch_norm.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

/* ---- Counting ------------------------------------------------------------------------------ */

/* Elements that kernels were given to read and to write.  dy: gradients by outputs; gated: those of
 * them that a ReLU lets through, which are the gradient by the addend. */
static struct {
    int64_t measured, applied, addend; /* forward */
    int64_t x, dy, y, gated, dx;       /* backward */
} passes;

static const struct cnni_kernels *real; /* of the level that was asked for last */
static struct cnni_kernels counting;

static int64_t elements(const struct cnni_norm *norm)
{
    return norm->pixels * norm->channels;
}

static void norm_moments(const struct cnni_norm *norm, float *sums, float *squares, const float *x)
{
    passes.measured += elements(norm);
    real->norm_moments(norm, sums, squares, x);
}

static void norm_apply(const struct cnni_norm *norm, float *y, const float *x, const float *addend)
{
    passes.applied += elements(norm);
    passes.addend += addend == NULL ? 0 : elements(norm);
    real->norm_apply(norm, y, x, addend);
}

static void norm_gradient(const struct cnni_norm *norm, float *sums, float *products, float *gated,
                          const float *dy, const float *x, const float *y)
{
    passes.x += elements(norm);
    passes.dy += elements(norm);
    passes.y += y == NULL ? 0 : elements(norm);
    passes.gated += gated == NULL ? 0 : elements(norm);
    real->norm_gradient(norm, sums, products, gated, dy, x, y);
}

static void norm_backward(const struct cnni_norm *norm, float *dx, const float *dy, const float *x,
                          const float *y)
{
    passes.x += elements(norm);
    passes.dy += elements(norm);
    passes.y += y == NULL ? 0 : elements(norm);
    passes.dx += elements(norm);
    real->norm_backward(norm, dx, dy, x, y);
}

/* The linker gives this program's library the second for the first (-Wl,--wrap). */
const struct cnni_kernels *__real_cnni_kernels(cnni_cpu level);
const struct cnni_kernels *__wrap_cnni_kernels(cnni_cpu level);

const struct cnni_kernels *__wrap_cnni_kernels(cnni_cpu level)
{
    real = __real_cnni_kernels(level);
    counting = *real;
    counting.norm_moments = norm_moments;
    counting.norm_apply = norm_apply;
    counting.norm_gradient = norm_gradient;
    counting.norm_backward = norm_backward;
    return &counting;
}

/* ---- A training step ----------------------------------------------------------------------- */

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 1)); /* the counts have no lock */
}

static void tear_down(void)
{
    cnn_context_free(context);
}

enum { SAMPLES = 3, SIDE = 9, CHANNELS = 5, ELEMENTS = SAMPLES * SIDE * SIDE * CHANNELS };

/* What stands behind the normalisation, and how often each tensor is gone over.  Forward, x is read
 * for its statistics, and once more, since y depends on them.  Backward is the same with x and dy;
 * where a ReLU has cut what was added up, the output is read once to see where, and what is left of
 * dy is written for the addend, and read the second time.  Frozen, it has no statistics and no
 * gradients of its own, and goes over all once, but where the addend wants its gradient. */
static const struct {
    bool add;
    cnn_status (*activation)(cnn_layer **layer, cnn_context *context);
    bool frozen;
    int64_t measured, addend, x, dy, y, gated;
} tails[] = {
    {false, NULL, false, 1, 0, 2, 2, 0, 0},
    {false, cnn_relu_create, false, 1, 0, 2, 2, 0, 0},
    {false, cnn_relu6_create, false, 1, 0, 2, 2, 0, 0},
    {true, NULL, false, 1, 1, 2, 2, 0, 1},
    {true, cnn_relu_create, false, 1, 1, 2, 2, 1, 1},
    {true, cnn_relu6_create, false, 1, 1, 2, 2, 1, 1},
    {false, NULL, true, 0, 0, 1, 1, 0, 0},
    {false, cnn_relu_create, true, 0, 0, 1, 1, 0, 0},
    {true, cnn_relu_create, true, 0, 1, 2, 2, 1, 1},
};
enum { TAILS = sizeof tails / sizeof tails[0] };

static void take(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    model_take(model, layer);
}

static cnn_model *network(int index)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){SIDE, SIDE, 2}, 3);
    for (int32_t i = 0; i < 2; i++) {
        EXPECT_OK(cnn_conv2d_create(&layer, context, CHANNELS, 3, 3));
        EXPECT_OK(cnn_conv2d_set_padding_same(layer));
        model_take(model, layer);
    }
    take(model, cnn_batch_norm_create);
    EXPECT_OK(cnn_layer_set_trained(cnn_model_layer(model, 2), !tails[index].frozen));
    if (tails[index].add) {
        EXPECT_OK(cnn_add_create(&layer, context));
        EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){2, 0}, 2));
        cnn_layer_free(layer);
    }
    if (tails[index].activation != NULL)
        take(model, tails[index].activation);
    take(model, cnn_flatten_create);
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    model_take(model, layer);
    return model;
}

START_TEST(each_tensor_is_gone_over_as_seldom_as_can_be)
{
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_model *model = network(_i);
    cnn_tensor *inputs = model_inputs(model, context, SAMPLES, 1);
    cnn_tensor *targets = tensor_labels(context, SAMPLES, 3);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
    EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
    ck_assert_int_eq(passes.measured, tails[_i].measured * ELEMENTS);
    ck_assert_int_eq(passes.applied, ELEMENTS);
    ck_assert_int_eq(passes.addend, tails[_i].addend * ELEMENTS);
    ck_assert_int_eq(passes.x, tails[_i].x * ELEMENTS);
    ck_assert_int_eq(passes.dy, tails[_i].dy * ELEMENTS);
    ck_assert_int_eq(passes.y, tails[_i].y * ELEMENTS);
    ck_assert_int_eq(passes.gated, tails[_i].gated * ELEMENTS);
    ck_assert_int_eq(passes.dx, ELEMENTS);
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
}
END_TEST

/* ---- The same without the first pass -------------------------------------------------------- */

enum { PIXELS = 150, VALUES = PIXELS * CHANNELS }; /* more than a block */

static _Alignas(64) float scratch[4096];
static float state_values[CNNI_NORM_ARRAYS][CHANNELS];

/* Backward of a frozen layer with a ReLU behind it; its own gradients are wanted or not. */
static void frozen_backward(float *dx, const float *dy, const float *x, bool own)
{
    float dgamma[CHANNELS] = {0}, dbeta[CHANNELS] = {0};
    const struct cnni_norm_call call = {context, 1, PIXELS, CHANNELS, 0, INFINITY, scratch};
    const struct cnni_norm_state state = {state_values[0], state_values[1], state_values[2],
                                          state_values[3], state_values[4], state_values[5]};
    const struct cnni_norm_gradients gradients = {
        .dx = dx, .dgamma = own ? dgamma : NULL, .dbeta = own ? dbeta : NULL};
    memset(state_values, 0xff, sizeof state_values); /* NaN: what an earlier step has left */
    for (int64_t c = 0; c < CHANNELS; c++)
        cnni_norm_prepare(&state, c, 0.1 * (double)c, 0.5, 1e-5, 0.7f, 0.2f);
    cnni_norm_backward(&call, &state, &gradients, dy, x, NULL);
}

START_TEST(a_frozen_layer_passes_on_the_same_gradient)
{
    size_t bytes;
    static float x[VALUES], dy[VALUES], dx[2][VALUES];
    ck_assert(cnni_norm_scratch_bytes(&bytes, PIXELS, CHANNELS) && bytes <= sizeof scratch);
    fill_floats(x, VALUES, 1);
    fill_floats(dy, VALUES, 2);
    frozen_backward(dx[0], dy, x, true);
    ck_assert_int_eq(passes.x, 2 * VALUES);
    frozen_backward(dx[1], dy, x, false);
    ck_assert_int_eq(passes.x, 3 * VALUES);
    ck_assert_mem_eq(dx[1], dx[0], sizeof dx[0]);
}
END_TEST

static Suite *norm_passes_suite(void)
{
    Suite *suite = suite_create("norm_passes");
    TCase *tcase = tcase_create("norm_passes");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, each_tensor_is_gone_over_as_seldom_as_can_be, 0, TAILS);
    tcase_add_test(tcase, a_frozen_layer_passes_on_the_same_gradient);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(norm_passes_suite());
}
