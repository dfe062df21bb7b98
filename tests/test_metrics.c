/* SPDX-License-Identifier: MIT
 * Metrics: against scikit-learn's figures (fixtures/make_sklearn_fixtures.py), against counts made
 * by hand where there are ties and gaps, and what is refused. */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

static struct accounts accounts;
static cnn_context *context;
static cnn_metrics *metrics;

static void set_up(void)
{
    context = accounts_context(&accounts);
}

static void tear_down(void)
{
    cnn_metrics_free(metrics);
    metrics = NULL;
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

/* ---- Help ---------------------------------------------------------------------------------- */

/* Adds `n` samples, scores [n][classes]. */
static cnn_status add(int64_t n, const float *scores, const int32_t *label)
{
    const int32_t classes = cnn_metrics_class_count(metrics);
    cnn_tensor *outputs = TENSOR(context, CNN_FLOAT32, n, classes);
    cnn_tensor *truth = TENSOR(context, CNN_INT32, n);
    memcpy(floats(outputs), scores, (size_t)(n * classes) * sizeof *scores);
    memcpy(labels(truth), label, (size_t)n * sizeof *label);
    const cnn_status status = cnn_metrics_add(metrics, outputs, truth);
    cnn_tensor_free(outputs);
    cnn_tensor_free(truth);
    return status;
}

static double area(void)
{
    double result = -1;
    EXPECT_OK(cnn_metrics_roc_auc(&result, metrics));
    return result;
}

/* Fixtures are rounded to float32, half a unit in the last place of which is 2^-24 of the value. */
static void expect_figure(const char *what, double got, double wanted)
{
    const bool same = isnan(wanted) ? isnan(got) : fabs(got - wanted) <= 0x1p-24 * fabs(wanted);
    ck_assert_msg(same, "%s is %.9g, must be %.9g", what, got, wanted);
}

/* ---- scikit-learn -------------------------------------------------------------------------- */

static const char *const cases[] = {"two", "ties", "logits", "five", "gaps"};
enum { CASES = sizeof cases / sizeof cases[0] };

/* Adds the samples of a case in batches of `batch`. */
static void add_case(const char *name, int64_t batch)
{
    cnn_tensor *outputs = torch_tensor(context, name, "outputs");
    cnn_tensor *truth = torch_tensor(context, name, "labels");
    const int64_t n = cnn_tensor_count(truth), classes = cnn_tensor_dim(outputs, 1);
    EXPECT_OK(cnn_metrics_create(&metrics, context, (int32_t)classes));
    for (int64_t i = 0; i < n; i += batch)
        EXPECT_OK(
            add(i + batch < n ? batch : n - i, floats(outputs) + i * classes, labels(truth) + i));
    ck_assert_int_eq(cnn_metrics_samples(metrics), n);
    cnn_tensor_free(outputs);
    cnn_tensor_free(truth);
}

static void expect_classes(const char *name)
{
    const int32_t classes = cnn_metrics_class_count(metrics);
    for (int32_t k = 0; k < classes; k++) {
        for (int32_t other = 0; other < classes; other++)
            ck_assert_int_eq(cnn_metrics_confusion(metrics, k, other),
                             (int64_t)torch_number(name, "confusion", k * classes + other));
        expect_figure("precision", cnn_metrics_precision(metrics, k),
                      torch_number(name, "precision", k));
        expect_figure("recall", cnn_metrics_recall(metrics, k), torch_number(name, "recall", k));
        expect_figure("F1", cnn_metrics_f1(metrics, k), torch_number(name, "f1", k));
        expect_figure("top-k accuracy", cnn_metrics_top_k_accuracy(metrics, k + 1),
                      torch_number(name, "top_k", k));
    }
}

static void expect_case(const char *name)
{
    expect_classes(name);
    expect_figure("accuracy", cnn_metrics_accuracy(metrics), torch_number(name, "top_k", 0));
    expect_figure("macro precision", cnn_metrics_macro_precision(metrics),
                  torch_number(name, "macro_precision", 0));
    expect_figure("macro recall", cnn_metrics_macro_recall(metrics),
                  torch_number(name, "macro_recall", 0));
    expect_figure("macro F1", cnn_metrics_macro_f1(metrics), torch_number(name, "macro_f1", 0));
    expect_figure("log loss", cnn_metrics_log_loss(metrics),
                  torch_has(name, "log_loss") ? torch_number(name, "log_loss", 0) : NAN);
    if (torch_has(name, "roc_auc"))
        expect_figure("area", area(), torch_number(name, "roc_auc", 0));
}

START_TEST(figures_are_those_of_scikit_learn)
{
    torch_open("../sklearn/metrics");
    add_case(cases[_i], 7);
    expect_case(cases[_i]);
}
END_TEST

/* The same samples in other batches give the same bits, also in another rounding mode. */
START_TEST(batches_do_not_matter)
{
    torch_open("../sklearn/metrics");
    add_case("two", 60);
    const double loss = cnn_metrics_log_loss(metrics), recall = cnn_metrics_macro_recall(metrics);
    cnn_metrics_free(metrics);
    fesetround(FE_UPWARD);
    add_case("two", 1);
    ck_assert(cnn_metrics_log_loss(metrics) == loss);
    ck_assert(cnn_metrics_macro_recall(metrics) == recall);
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(clearing_forgets_everything)
{
    static const float score[] = {3, -1};
    static const int32_t label[] = {1};
    torch_open("../sklearn/metrics");
    add_case("ties", 11);
    EXPECT_OK(add(1, score, label)); /* no probabilities: no log loss any more */
    (void)area();
    cnn_metrics_clear(metrics);
    ck_assert_int_eq(cnn_metrics_samples(metrics), 0);
    ck_assert_int_eq(cnn_metrics_confusion(metrics, 1, 1), 0);
    cnn_tensor *outputs = torch_tensor(context, "ties", "outputs");
    cnn_tensor *truth = torch_tensor(context, "ties", "labels");
    EXPECT_OK(cnn_metrics_add(metrics, outputs, truth));
    expect_case("ties");
    cnn_tensor_free(outputs);
    cnn_tensor_free(truth);
}
END_TEST

/* ---- By hand ------------------------------------------------------------------------------- */

START_TEST(nothing_is_defined_before_the_first_sample)
{
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    ck_assert_int_eq(cnn_metrics_samples(metrics), 0);
    ck_assert(isnan(cnn_metrics_accuracy(metrics)));
    ck_assert(isnan(cnn_metrics_top_k_accuracy(metrics, 2)));
    ck_assert(isnan(cnn_metrics_log_loss(metrics)));
    ck_assert(isnan(area()));
    ck_assert(isnan(cnn_metrics_precision(metrics, 0)));
    ck_assert(isnan(cnn_metrics_recall(metrics, 0)));
    ck_assert(isnan(cnn_metrics_f1(metrics, 0)));
    ck_assert(isnan(cnn_metrics_macro_precision(metrics)));
    ck_assert(isnan(cnn_metrics_macro_recall(metrics)));
    ck_assert(isnan(cnn_metrics_macro_f1(metrics)));
}
END_TEST

/* Of equal scores the first class wins, for the prediction and for every k. */
START_TEST(equal_scores_are_in_the_order_of_classes)
{
    static const float scores[][4] = {{1, 1, 1, 1}, {1, 1, 1, 1}, {0, 2, 2, 1}, {0, 2, 2, 1}};
    static const int32_t label[] = {0, 3, 2, 1};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 4));
    EXPECT_OK(add(4, scores[0], label));
    ck_assert_int_eq(cnn_metrics_predicted(metrics, 0), 2);
    ck_assert_int_eq(cnn_metrics_predicted(metrics, 1), 2);
    ck_assert_int_eq(cnn_metrics_actual(metrics, 3), 1);
    ck_assert_double_eq(cnn_metrics_accuracy(metrics), 0.5);
    ck_assert_double_eq(cnn_metrics_top_k_accuracy(metrics, 2), 0.75);
    ck_assert_double_eq(cnn_metrics_top_k_accuracy(metrics, 3), 0.75);
    ck_assert_double_eq(cnn_metrics_top_k_accuracy(metrics, 4), 1);
    ck_assert_double_eq(cnn_metrics_top_k_accuracy(metrics, INT32_MAX), 1);
    ck_assert(isnan(cnn_metrics_top_k_accuracy(metrics, 0)));
}
END_TEST

/* Class 2 has neither samples nor predictions, 1 no predictions, 0 no samples. */
START_TEST(undefined_figures_are_left_out_of_means)
{
    static const float scores[][4] = {{5, 0, 0, 4}, {5, 0, 0, 4}, {0, 0, 0, 4}};
    static const int32_t label[] = {1, 3, 3};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 4));
    EXPECT_OK(add(3, scores[0], label));
    ck_assert(isnan(cnn_metrics_precision(metrics, 1)));
    ck_assert_double_eq(cnn_metrics_recall(metrics, 1), 0);
    ck_assert_double_eq(cnn_metrics_f1(metrics, 1), 0);
    ck_assert_double_eq(cnn_metrics_precision(metrics, 0), 0);
    ck_assert(isnan(cnn_metrics_recall(metrics, 0)));
    ck_assert(isnan(cnn_metrics_f1(metrics, 2)));
    ck_assert_double_eq(cnn_metrics_macro_precision(metrics), 0.5);  /* of 0 and 3 */
    ck_assert_double_eq(cnn_metrics_macro_recall(metrics), 0.25);    /* of 1 and 3 */
    ck_assert_double_eq(cnn_metrics_macro_f1(metrics), 2.0 / 3 / 3); /* of 0, 1 and 3 */
}
END_TEST

/* Probabilities of 0 cost as much as 2^-126; a sum that is off, or a number below 0, makes scores
 * of them. */
START_TEST(log_loss_is_of_probabilities)
{
    static const float sure[] = {1, 0}, wide[] = {0.5f, 0.502f}, negative[] = {1.5f, -0.5f};
    static const int32_t label[] = {1};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    EXPECT_OK(add(1, sure, label));
    ck_assert_double_eq_tol(cnn_metrics_log_loss(metrics), 126 * log(2), 1e-12);
    EXPECT_OK(add(1, wide, label));
    ck_assert(isnan(cnn_metrics_log_loss(metrics)));
    cnn_metrics_clear(metrics);
    EXPECT_OK(add(1, negative, label));
    ck_assert(isnan(cnn_metrics_log_loss(metrics)));
    EXPECT_OK(add(1, sure, label));
    ck_assert(isnan(cnn_metrics_log_loss(metrics)));
}
END_TEST

/* The area of many scores with ties, against the pairs counted one by one; and once more after
 * others came to those that were sorted. */
START_TEST(area_is_the_share_of_pairs)
{
    enum { MOST = 400 };
    float scores[MOST][2];
    int32_t label[MOST];
    float numbers[2 * MOST];
    fill_floats(numbers, 2 * MOST, 5);
    for (int32_t i = 0; i < MOST; i++) {
        label[i] = numbers[i] > 0.2f;
        scores[i][0] = 0;
        scores[i][1] = floorf(20 * (numbers[MOST + i] + 0.3f * (float)label[i]));
    }
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    for (int32_t n = MOST / 2, done = 0; n <= MOST; done = n, n += MOST / 2) {
        double won = 0, pairs = 0;
        EXPECT_OK(add(n - done, scores[done], label + done));
        for (int32_t one = 0; one < n; one++)
            for (int32_t zero = 0; zero < n; zero++)
                if (label[one] == 1 && label[zero] == 0) {
                    won += scores[one][1] > scores[zero][1];
                    won += 0.5 * (scores[one][1] == scores[zero][1]);
                    pairs++;
                }
        ck_assert_double_eq(area(), won / pairs);
        ck_assert_double_eq(area(), won / pairs);
    }
}
END_TEST

START_TEST(area_needs_both_classes)
{
    static const float scores[][2] = {{0, 1}, {0, 2}, {0, 3}};
    static const int32_t ones[] = {1, 1, 1}, zero[] = {0};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    EXPECT_OK(add(3, scores[0], ones));
    ck_assert(isnan(area()));
    EXPECT_OK(add(1, scores[0], zero));
    ck_assert_double_eq(area(), 2.5 / 3);
}
END_TEST

/* ---- What is refused ----------------------------------------------------------------------- */

START_TEST(impossible_metrics_are_refused)
{
    EXPECT_FAILS(cnn_metrics_create(&metrics, context, 1), CNN_ERROR_INVALID, "cnn_metrics_create",
                 "classes is 1");
    EXPECT_FAILS(cnn_metrics_create(&metrics, context, 100001), CNN_ERROR_LIMIT,
                 "cnn_metrics_create", "100001");
    EXPECT_FAILS(cnn_metrics_create(NULL, context, 2), CNN_ERROR_INVALID, "cnn_metrics_create",
                 "metrics");
    metrics = (cnn_metrics *)context;
    EXPECT_FAILS(cnn_metrics_create(&metrics, NULL, 2), CNN_ERROR_INVALID, "cnn_metrics_create",
                 "context");
    ck_assert_ptr_null(metrics);
    cnn_metrics_clear(NULL);
    ck_assert_int_eq(cnn_metrics_class_count(NULL), 0);
    ck_assert_int_eq(cnn_metrics_samples(NULL), 0);
    ck_assert_int_eq(cnn_metrics_actual(NULL, 0), 0);
    ck_assert(isnan(cnn_metrics_accuracy(NULL)) && isnan(cnn_metrics_log_loss(NULL)));
    ck_assert(isnan(cnn_metrics_f1(NULL, 0)) && isnan(cnn_metrics_macro_f1(NULL)));
}
END_TEST

START_TEST(classes_that_do_not_exist_have_nothing)
{
    static const float score[] = {1, 0, 0};
    static const int32_t label[] = {0};
    static const int32_t none[] = {-1, 3, INT32_MIN, INT32_MAX};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 3));
    EXPECT_OK(add(1, score, label));
    for (int32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(cnn_metrics_confusion(metrics, none[i], 0), 0);
        ck_assert_int_eq(cnn_metrics_confusion(metrics, 0, none[i]), 0);
        ck_assert_int_eq(cnn_metrics_actual(metrics, none[i]), 0);
        ck_assert_int_eq(cnn_metrics_predicted(metrics, none[i]), 0);
        ck_assert(isnan(cnn_metrics_precision(metrics, none[i])));
        ck_assert(isnan(cnn_metrics_recall(metrics, none[i])));
        ck_assert(isnan(cnn_metrics_f1(metrics, none[i])));
    }
    double result;
    EXPECT_FAILS(cnn_metrics_roc_auc(&result, metrics), CNN_ERROR_STATE, "cnn_metrics_roc_auc",
                 "3 classes");
    EXPECT_FAILS(cnn_metrics_roc_auc(NULL, metrics), CNN_ERROR_INVALID, "cnn_metrics_roc_auc",
                 "area");
    EXPECT_FAILS(cnn_metrics_roc_auc(&result, NULL), CNN_ERROR_INVALID, "cnn_metrics_roc_auc",
                 "metrics");
}
END_TEST

/* A bad sample at the end of a batch keeps the whole batch out. */
START_TEST(bad_samples_add_nothing)
{
    static const float fine[][2] = {{0, 1}, {1, 0}}, odd[] = {NAN, INFINITY, -INFINITY};
    static const int32_t label[] = {1, 0}, low[] = {1, -1}, high[] = {1, 2};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    EXPECT_FAILS(add(2, fine[0], low), CNN_ERROR_INVALID, "cnn_metrics_add", "label 1 is -1");
    EXPECT_FAILS(add(2, fine[0], high), CNN_ERROR_INVALID, "cnn_metrics_add", "label 1 is 2");
    for (int32_t i = 0; i < 3; i++) {
        const float scores[][2] = {{0, 1}, {1, odd[i]}};
        EXPECT_FAILS(add(2, scores[0], label), CNN_ERROR_INVALID, "cnn_metrics_add",
                     i == 0 ? "outputs[1][1] is NaN" : "outputs[1][1] is infinite");
    }
    ck_assert_int_eq(cnn_metrics_samples(metrics), 0);
    EXPECT_OK(add(2, fine[0], label));
    ck_assert_double_eq(area(), 1);
}
END_TEST

START_TEST(other_shapes_and_types_are_refused)
{
    cnn_tensor *outputs = TENSOR(context, CNN_FLOAT32, 2, 3);
    cnn_tensor *truth = TENSOR(context, CNN_INT32, 2);
    cnn_tensor *others[] = {TENSOR(context, CNN_FLOAT32, 2, 2), TENSOR(context, CNN_FLOAT32, 6),
                            TENSOR(context, CNN_INT32, 2, 3),   TENSOR(context, CNN_INT32, 3),
                            TENSOR(context, CNN_FLOAT32, 2),    TENSOR(context, CNN_INT32, 2, 1)};
    EXPECT_OK(cnn_metrics_create(&metrics, context, 3));
    for (int32_t i = 0; i < 3; i++)
        EXPECT_FAILS(cnn_metrics_add(metrics, others[i], truth), CNN_ERROR_SHAPE, "cnn_metrics_add",
                     "outputs");
    for (int32_t i = 3; i < 6; i++)
        EXPECT_FAILS(cnn_metrics_add(metrics, outputs, others[i]), CNN_ERROR_SHAPE,
                     "cnn_metrics_add", "labels");
    EXPECT_FAILS(cnn_metrics_add(metrics, NULL, truth), CNN_ERROR_INVALID, "cnn_metrics_add",
                 "outputs");
    EXPECT_FAILS(cnn_metrics_add(metrics, outputs, NULL), CNN_ERROR_INVALID, "cnn_metrics_add",
                 "labels");
    EXPECT_FAILS(cnn_metrics_add(NULL, outputs, truth), CNN_ERROR_INVALID, "cnn_metrics_add",
                 "metrics");
    ck_assert_int_eq(cnn_metrics_samples(metrics), 0);
    for (int32_t i = 0; i < 6; i++)
        cnn_tensor_free(others[i]);
    cnn_tensor_free(outputs);
    cnn_tensor_free(truth);
}
END_TEST

/* Wherever memory ends: an error, nothing leaked, and after it all goes on as if nothing had been
 * tried. */
START_TEST(no_memory_is_an_error)
{
    cnn_tensor *outputs, *truth;
    cnn_status status = CNN_ERROR_MEMORY;
    torch_open("../sklearn/metrics");
    for (int64_t call = 1; call <= 3; call++) {
        accounts.refuse_at = accounts.calls + call;
        EXPECT_FAILS(cnn_metrics_create(&metrics, context, 2), CNN_ERROR_MEMORY,
                     "cnn_metrics_create", "no memory");
        accounts.refuse_at = 0;
        ck_assert_int_eq(accounts.blocks, 0);
    }
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    outputs = torch_tensor(context, "two", "outputs");
    truth = torch_tensor(context, "two", "labels");
    for (int64_t call = 1; status != CNN_OK; call++) {
        accounts.refuse_at = accounts.calls + call;
        status = cnn_metrics_add(metrics, outputs, truth);
        accounts.refuse_at = 0;
        ck_assert(call > 1 || status == CNN_ERROR_MEMORY);
        ck_assert_int_eq(cnn_metrics_samples(metrics), status == CNN_OK ? 60 : 0);
    }
    expect_case("two");
    cnn_tensor_free(outputs);
    cnn_tensor_free(truth);
}
END_TEST

/* Any order of freeing will do. */
START_TEST(metrics_keep_their_context)
{
    EXPECT_OK(cnn_metrics_create(&metrics, context, 2));
    cnn_context_free(context);
    context = NULL;
    ck_assert_int_eq(cnn_metrics_class_count(metrics), 2);
    cnn_metrics_free(metrics);
    metrics = NULL;
    cnn_metrics_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, figures_are_those_of_scikit_learn, 0, CASES);
    tcase_add_test(tests, batches_do_not_matter);
    tcase_add_test(tests, clearing_forgets_everything);
    tcase_add_test(tests, nothing_is_defined_before_the_first_sample);
    tcase_add_test(tests, equal_scores_are_in_the_order_of_classes);
    tcase_add_test(tests, undefined_figures_are_left_out_of_means);
    tcase_add_test(tests, log_loss_is_of_probabilities);
    tcase_add_test(tests, area_is_the_share_of_pairs);
    tcase_add_test(tests, area_needs_both_classes);
    tcase_add_test(tests, impossible_metrics_are_refused);
    tcase_add_test(tests, classes_that_do_not_exist_have_nothing);
    tcase_add_test(tests, bad_samples_add_nothing);
    tcase_add_test(tests, other_shapes_and_types_are_refused);
    tcase_add_test(tests, no_memory_is_an_error);
    tcase_add_test(tests, metrics_keep_their_context);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
