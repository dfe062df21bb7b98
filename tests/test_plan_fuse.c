/* SPDX-License-Identifier: MIT
 * Which layers a plan does along with those before them, predicting and training, forward and
 * backward; and which it must not.  That they compute the same is in test_batch_norm.c and
 * test_op_conv2d_tail.c; how often batch normalisation reads its tensors, in test_norm_passes.c. */
#include "model/model_internal.h"
#include "model/plan.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"

static struct accounts accounts;
static cnn_context *context;

static void set_up(void)
{
    context = accounts_context(&accounts);
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

static struct cnni_plan *new_plan(cnn_model *model, const struct cnni_plan_options *options)
{
    struct cnni_plan *plan;
    EXPECT_OK(cnni_plan_create(&plan, model, options, "test"));
    return plan;
}

static const struct cnni_plan_options predicting = {.max_n = 3};
static const struct cnni_plan_options training = {
    .max_n = 3, .training = true, .input_gradient = true};

/* ---- Models -------------------------------------------------------------------------------- */

static void add_plain(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    model_take(model, layer);
}

static void add_pool(cnn_model *model, int64_t side, int64_t stride, int64_t padding)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, side, side));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, stride, stride));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, padding, padding));
    model_take(model, layer);
}

static void add_conv(cnn_model *model, int64_t groups)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, 4, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_groups(layer, groups));
    model_take(model, layer);
}

static void add_transposed(cnn_model *model)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, context, 4, 3, 3));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, 1, 1));
    model_take(model, layer);
}

static void add_dense(cnn_model *model)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, 4));
    model_take(model, layer);
}

static void add_sum(cnn_model *model, int32_t first, int32_t second)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){first, second}, 2));
    cnn_layer_free(layer);
}

/* ---- Chains -------------------------------------------------------------------------------- */

/* Layers in a row, a letter each: c conv2d, t conv2d_transposed, d dense, n batch_norm, p maxpool2d
 * 3x3, and activations r relu, 6 relu6, s silu.  + adds what the first layer has made.  Then those
 * that are run, and as "-" those that the one before does along with itself. */
struct chain {
    const char *layers;
    const char *predicting, *training, *backward;
};

static const struct chain chains[] = {
    {"cnn", "+-+", "+++", "+++"},
    {"ccn", "++-", "+++", "+++"},
    {"ccnr", "++--", "+++-", "+++-"},
    {"ccn6", "++--", "+++-", "+++-"},
    {"ccns", "++--", "++++", "++++"},
    {"ccn+", "++--", "+++-", "+++-"},
    {"ccn+r", "++---", "+++--", "+++--"},
    {"ccn+6", "++---", "+++--", "+++--"},
    {"ccn+s", "++---", "+++-+", "+++-+"},
    {"ccn+n", "++--+", "+++-+", "+++-+"},
    {"ccn+r+", "++---+", "+++--+", "+++--+"},
    {"cr", "+-", "+-", "++"},
    {"c6", "+-", "++", "++"},
    {"cs", "+-", "++", "++"},
    {"crr", "+-+", "+-+", "+++"},
    {"crp", "+-+", "+-+", "+-+"},
    {"cc+", "++-", "+++", "+++"},
    {"cc+r", "++--", "++++", "++++"},
    {"cc+s", "++--", "++++", "++++"},
    {"cn+r", "++--", "++--", "++--"},
    {"tr", "+-", "+-", "++"},
    {"ts", "++", "++", "++"},
    {"tnr", "++-", "++-", "++-"},
    {"ctn+r", "+++--", "+++--", "+++--"},
    {"dr", "+-", "+-", "++"},
    {"ds", "++", "++", "++"},
    {"ddn+r", "+++--", "+++--", "+++--"},
    {"nr", "+-", "+-", "+-"},
    {"nn+r", "++--", "++--", "++--"},
};
enum { CHAINS = sizeof chains / sizeof chains[0] };

static void add_letter(cnn_model *model, char letter)
{
    switch (letter) {
    case 'c': add_conv(model, 1); break;
    case 't': add_transposed(model); break;
    case 'd': add_dense(model); break;
    case 'n': add_plain(model, cnn_batch_norm_create); break;
    case 'p': add_pool(model, 3, 2, 0); break;
    case 'r': add_plain(model, cnn_relu_create); break;
    case '6': add_plain(model, cnn_relu6_create); break;
    case 's': add_plain(model, cnn_silu_create); break;
    default: add_sum(model, cnn_model_layer_count(model) - 1, 0); break;
    }
}

static cnn_model *chain_model(const struct chain *chain)
{
    const int32_t rank = chain->layers[0] == 'd' ? 1 : 3;
    const int64_t shape[] = {rank == 1 ? 4 : 8, 8, 4};
    cnn_model *model = model_new(context, shape, rank);
    for (const char *letter = chain->layers; *letter != 0; letter++)
        add_letter(model, *letter);
    return model;
}

/* That `owner` knows what it does for layer `index`, and that both have one value. */
static void check_owner(const struct cnni_plan *plan, int32_t owner, int32_t index)
{
    const struct cnni_step *step = &plan->steps[owner];
    const cnn_layer *layer = plan->model->nodes[index].layer;
    ck_assert_int_eq(plan->steps[index].value, step->value);
    if (layer->class->kind == CNN_BATCH_NORM)
        ck_assert_ptr_eq(step->layer.fused.norm, layer);
    else if (layer->class->kind == CNN_ADD)
        ck_assert(step->layer.fused.add && step->addend == 0);
    else
        ck_assert_int_eq(step->layer.fused.activation.kind, layer->class->kind);
}

static void check_chain(const struct cnni_plan *plan, const struct chain *chain)
{
    int32_t owner = 0;
    const char *forward = plan->training ? chain->training : chain->predicting;
    for (int32_t i = 0; i < plan->model->node_count; i++) {
        const struct cnni_step *step = &plan->steps[i];
        ck_assert_msg(step->skips_forward == (forward[i] == '-'), "layer %d of %s, %s: wanted %s",
                      i, chain->layers, plan->training ? "training" : "predicting", forward);
        ck_assert_msg(!plan->training || step->skips_backward == (chain->backward[i] == '-'),
                      "layer %d of %s, backward: wanted %s", i, chain->layers, chain->backward);
        if (step->skips_forward)
            check_owner(plan, owner, i);
        else
            owner = i;
    }
}

START_TEST(chains_are_done_together)
{
    const struct chain *chain = &chains[_i];
    cnn_model *model = chain_model(chain);
    struct cnni_plan *predicts = new_plan(model, &predicting);
    struct cnni_plan *trains = new_plan(model, &training);
    check_chain(predicts, chain);
    check_chain(trains, chain);
    cnni_plan_free(predicts);
    cnni_plan_free(trains);
    cnn_model_free(model);
}
END_TEST

/* So that what passes between two layers is made, and can be looked at before the second one. */
START_TEST(a_cut_parts_them)
{
    cnn_model *model = chain_model(&(struct chain){.layers = "ccn+r"});
    for (int32_t cut = 1; cut < 5; cut++) {
        struct cnni_plan_options options = training;
        options.cut = cut;
        struct cnni_plan *plan = new_plan(model, &options);
        ck_assert(!plan->steps[cut].skips_forward && !plan->steps[cut].skips_backward);
        cnni_plan_free(plan);
    }
    cnn_model_free(model);
}
END_TEST

/* ---- Pooling ------------------------------------------------------------------------------- */

/* Max-pooling of other windows behind a ReLU does that one's backward, which frees the values
 * before it; a ReLU with another reader, or with another layer behind it, keeps its own. */
START_TEST(pooling_takes_over_from_relu)
{
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 2}, 3);
    add_conv(model, 1);                /* 0 */
    add_plain(model, cnn_relu_create); /* 1 */
    add_pool(model, 3, 2, 0);          /* 2 */
    add_pool(model, 1, 1, 0);          /* 3 */
    add_plain(model, cnn_relu_create); /* 4 */
    add_pool(model, 1, 1, 0);          /* 5 */
    add_sum(model, 4, 5);              /* 6 */
    for (int32_t trains = 0; trains < 2; trains++) {
        struct cnni_plan *plan = new_plan(model, trains ? &training : &predicting);
        ck_assert_int_eq(plan->steps[1].skips_backward, trains);
        ck_assert_int_eq(plan->steps[2].layer.fused.gate, trains);
        ck_assert_int_le(plan->buffers[plan->steps[1].value].to, 2);
        ck_assert(!plan->steps[4].skips_backward && !plan->steps[5].layer.fused.gate);
        cnni_plan_free(plan);
    }
    cnn_model_free(model);
}
END_TEST

/* What a convolution makes is never stored where its ReLU and 2x2 max-pooling come behind it. */
START_TEST(a_convolution_pools)
{
    for (int32_t relu = 0; relu < 2; relu++)
        for (int32_t trains = 0; trains < 2; trains++) {
            cnn_model *model = model_new(context, (int64_t[]){9, 8, 2}, 3);
            add_conv(model, 1);
            if (relu)
                add_plain(model, cnn_relu_create);
            add_pool(model, 2, relu ? 2 : 0, 0);
            add_conv(model, 1);
            struct cnni_plan *plan = new_plan(model, trains ? &training : &predicting);
            const int32_t pool = relu ? 2 : 1;
            const struct cnni_step *steps = plan->steps;
            ck_assert(steps[0].layer.fused.pool);
            ck_assert_int_eq(steps[0].layer.fused.activation.kind, relu == 1 ? CNN_RELU : 0);
            ck_assert(!steps[0].skips_forward && !steps[0].skips_backward);
            for (int32_t i = 1; i <= pool; i++) {
                ck_assert(steps[i].skips_forward && steps[i].skips_backward);
                ck_assert_int_eq(steps[i].value, steps[0].value);
                ck_assert_int_eq(steps[i].gradient, steps[0].gradient);
                ck_assert_int_eq(steps[i].state, CNNI_NO_BUFFER);
            }
            ck_assert(!steps[pool + 1].skips_forward && steps[pool + 1].value != steps[0].value);
            ck_assert_uint_eq(plan->buffers[steps[0].value].bytes, 3 * 4 * 4 * 4 * sizeof(float));
            ck_assert_int_eq(steps[0].state != CNNI_NO_BUFFER, trains);
            cnni_plan_free(plan);
            cnn_model_free(model);
        }
}
END_TEST

/* Convolution, ReLU, and pooling that cannot be done along with it. */
START_TEST(other_pooling_is_left_alone)
{
    static const struct {
        int64_t groups, side, stride, padding;
        int32_t second_reader; /* of layer number ... */
    } cases[] = {
        {2, 2, 2, 0, -1}, {1, 3, 2, 0, -1}, {1, 2, 1, 0, -1}, {1, 2, 3, 0, -1},
        {1, 2, 2, 1, -1}, {1, 2, 2, 0, 0},  {1, 2, 2, 0, 1},
    };
    for (int32_t i = 0; i < CNNI_COUNT(cases); i++) {
        cnn_model *model = model_new(context, (int64_t[]){8, 8, 2}, 3);
        add_conv(model, cases[i].groups);
        add_plain(model, cnn_relu_create);
        add_pool(model, cases[i].side, cases[i].stride, cases[i].padding);
        if (cases[i].second_reader >= 0) {
            cnn_layer *layer;
            EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
            EXPECT_OK(cnn_model_add_with_inputs(model, layer, &cases[i].second_reader, 1));
            cnn_layer_free(layer);
            add_sum(model, 2, 3);
        }
        struct cnni_plan *plan = new_plan(model, &training);
        ck_assert_msg(!plan->steps[0].layer.fused.pool && !plan->steps[2].skips_forward, "case %d",
                      i);
        cnni_plan_free(plan);
        cnn_model_free(model);
    }
}
END_TEST

static Suite *plan_fuse_suite(void)
{
    Suite *suite = suite_create("plan_fuse");
    TCase *tcase = tcase_create("plan_fuse");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, chains_are_done_together, 0, CHAINS);
    tcase_add_test(tcase, a_cut_parts_them);
    tcase_add_test(tcase, pooling_takes_over_from_relu);
    tcase_add_test(tcase, a_convolution_pools);
    tcase_add_test(tcase, other_pooling_is_left_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(plan_fuse_suite());
}
