/* SPDX-License-Identifier: MIT
 * Metrics: a confusion matrix, a histogram of the labels' ranks, a sum of losses, and for two
 * classes the scores (roc.c).  All other figures follow from these when they are asked for. */
#include "cnn/metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/real.h"
#include "model/loss.h"
#include "model/roc.h"
#include "tensor/tensor_internal.h"

struct cnn_metrics {
    cnn_context *context;
    int32_t classes;
    int64_t samples;
    int64_t *confusion; /* [actual][predicted] */
    int64_t *ranks;     /* [classes]: for how many samples so many scores come before the label's */
    bool probabilities; /* all outputs until now were */
    double log_loss;    /* summed over the samples, in their order */
    struct cnni_roc roc;
};

/* ---- Life ---- */

static cnn_status allocate(cnn_metrics *metrics, int32_t classes, const char *function)
{
    const size_t count = (size_t)classes;
    size_t cells;
    if (!cnni_mul_size(&cells, count, count))
        return cnni_fail(metrics->context, CNN_ERROR_MEMORY, "%s: no memory for %d x %d classes",
                         function, classes, classes);
    CNNI_TRY(cnni_alloc_zero(&metrics->confusion, metrics->context, cells,
                             sizeof *metrics->confusion, function));
    return cnni_alloc_zero(&metrics->ranks, metrics->context, count, sizeof *metrics->ranks,
                           function);
}

cnn_status cnn_metrics_create(cnn_metrics **metrics, cnn_context *context, int32_t classes)
{
    cnn_metrics *made;
    if (metrics == NULL)
        return cnni_fail_null(context, __func__, "metrics");
    *metrics = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (classes < 2)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: classes is %d, must be at least 2",
                         __func__, classes);
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_CLASSES, classes, __func__, "classes"));
    CNNI_TRY(cnni_alloc_zero(&made, context, 1, sizeof *made, __func__));
    cnni_context_share(context);
    made->context = context;
    made->classes = classes;
    made->probabilities = true;
    const cnn_status status = allocate(made, classes, __func__);
    if (status != CNN_OK) {
        cnn_metrics_free(made);
        return status;
    }
    *metrics = made;
    return CNN_OK;
}

void cnn_metrics_free(cnn_metrics *metrics)
{
    if (metrics == NULL)
        return;
    cnn_context *context = metrics->context;
    cnni_roc_free(&metrics->roc, context);
    cnni_free(context, metrics->ranks);
    cnni_free(context, metrics->confusion);
    cnni_free(context, metrics);
    cnni_context_release(context);
}

void cnn_metrics_clear(cnn_metrics *metrics)
{
    if (metrics == NULL)
        return;
    const size_t classes = (size_t)metrics->classes;
    memset(metrics->confusion, 0, classes * classes * sizeof *metrics->confusion);
    memset(metrics->ranks, 0, classes * sizeof *metrics->ranks);
    metrics->samples = 0;
    metrics->log_loss = 0;
    metrics->probabilities = true;
    cnni_roc_clear(&metrics->roc);
}

/* ---- Adding ---- */

static int64_t *cell(const cnn_metrics *metrics, int32_t actual, int32_t predicted)
{
    return &metrics->confusion[(size_t)actual * (size_t)metrics->classes + (size_t)predicted];
}

static cnn_status check_labels(const cnn_metrics *metrics, const int32_t *label, int64_t n,
                               const char *function)
{
    for (int64_t i = 0; i < n; i++)
        if (label[i] < 0 || label[i] >= metrics->classes)
            return cnni_fail(metrics->context, CNN_ERROR_INVALID,
                             "%s: label %lld is %d, must be 0 to %d", function, (long long)i,
                             label[i], metrics->classes - 1);
    return CNN_OK;
}

static cnn_status check_scores(const cnn_metrics *metrics, const float *score, int64_t n,
                               const char *function)
{
    for (int64_t i = 0; i < n * metrics->classes; i++)
        if (!isfinite(score[i]))
            return cnni_fail(metrics->context, CNN_ERROR_INVALID,
                             "%s: outputs[%lld][%lld] is %s, must be finite", function,
                             (long long)(i / metrics->classes), (long long)(i % metrics->classes),
                             isnan(score[i]) ? "NaN" : "infinite");
    return CNN_OK;
}

static cnn_status check(int64_t *n, const cnn_metrics *metrics, const cnn_tensor *outputs,
                        const cnn_tensor *labels, const char *function)
{
    const struct cnni_shape row = {.rank = 1, .dim = {metrics->classes}}, label = {.rank = 0};
    cnn_context *context = metrics->context;
    if (outputs == NULL || labels == NULL)
        return cnni_fail_null(context, function, outputs == NULL ? "outputs" : "labels");
    CNNI_TRY(cnni_tensor_check_batch(n, context, outputs, CNN_FLOAT32, &row, INT64_MAX, function,
                                     "outputs"));
    CNNI_TRY(cnni_tensor_check_samples(*n, context, labels, CNN_INT32, &label, function, "labels"));
    CNNI_TRY(check_labels(metrics, labels->data, *n, function));
    return check_scores(metrics, outputs->data, *n, function);
}

/* Room for the scores of `n` samples, if they are kept. */
static cnn_status reserve(cnn_metrics *metrics, const int32_t *label, int64_t n,
                          const char *function)
{
    int64_t ones = 0;
    if (metrics->classes != 2)
        return CNN_OK;
    for (int64_t i = 0; i < n; i++)
        ones += label[i];
    CNNI_TRY(cnni_roc_reserve(&metrics->roc, metrics->context, 0, n - ones, function));
    return cnni_roc_reserve(&metrics->roc, metrics->context, 1, ones, function);
}

/* How many scores come before that of `label`, of equal ones those of smaller classes. */
static int32_t rank_of(const float *score, int32_t classes, int32_t label)
{
    int32_t rank = 0;
    for (int32_t k = 0; k < classes; k++)
        rank += score[k] > score[label] || (score[k] == score[label] && k < label);
    return rank;
}

/* Sums of float32 probabilities are nearer to 1 than this, whatever made them; scores are not. */
static bool are_probabilities(const float *score, int32_t classes)
{
    double sum = 0;
    for (int32_t k = 0; k < classes; k++) {
        if (score[k] < 0)
            return false;
        sum += (double)score[k];
    }
    return fabs(sum - 1) <= 1e-3;
}

static void add_sample(cnn_metrics *metrics, const float *score, int32_t label)
{
    metrics->samples++;
    (*cell(metrics, label, (int32_t)cnni_first_largest(score, metrics->classes)))++;
    metrics->ranks[rank_of(score, metrics->classes, label)]++;
    metrics->probabilities = metrics->probabilities && are_probabilities(score, metrics->classes);
    if (metrics->probabilities)
        metrics->log_loss -= cnni_log((double)CNNI_MAX(score[label], FLT_MIN));
    if (metrics->classes == 2)
        cnni_roc_add(&metrics->roc, label, (double)score[1] - (double)score[0]);
}

cnn_status cnn_metrics_add(cnn_metrics *metrics, const cnn_tensor *outputs,
                           const cnn_tensor *labels)
{
    int64_t n;
    struct cnni_float_state host;
    if (metrics == NULL)
        return cnni_fail_null(NULL, __func__, "metrics");
    CNNI_TRY(check(&n, metrics, outputs, labels, __func__));
    CNNI_TRY(reserve(metrics, labels->data, n, __func__));
    const float *score = outputs->data;
    const int32_t *label = labels->data;
    cnni_float_enter(&host);
    for (int64_t i = 0; i < n; i++)
        add_sample(metrics, score + i * metrics->classes, label[i]);
    cnni_float_leave(&host);
    return CNN_OK;
}

/* ---- Over all samples ---- */

int32_t cnn_metrics_class_count(const cnn_metrics *metrics)
{
    return metrics == NULL ? 0 : metrics->classes;
}

int64_t cnn_metrics_samples(const cnn_metrics *metrics)
{
    return metrics == NULL ? 0 : metrics->samples;
}

double cnn_metrics_accuracy(const cnn_metrics *metrics)
{
    return cnn_metrics_top_k_accuracy(metrics, 1);
}

double cnn_metrics_top_k_accuracy(const cnn_metrics *metrics, int32_t k)
{
    int64_t right = 0;
    if (metrics == NULL || k < 1)
        return NAN;
    for (int32_t rank = 0; rank < CNNI_MIN(k, metrics->classes); rank++)
        right += metrics->ranks[rank];
    return cnni_ratio((double)right, (double)metrics->samples);
}

double cnn_metrics_log_loss(const cnn_metrics *metrics)
{
    if (metrics == NULL || !metrics->probabilities)
        return NAN;
    return cnni_ratio(metrics->log_loss, (double)metrics->samples);
}

cnn_status cnn_metrics_roc_auc(double *area, cnn_metrics *metrics)
{
    struct cnni_float_state host;
    if (metrics == NULL)
        return cnni_fail_null(NULL, __func__, "metrics");
    if (area == NULL)
        return cnni_fail_null(metrics->context, __func__, "area");
    if (metrics->classes != 2)
        return cnni_fail(metrics->context, CNN_ERROR_STATE,
                         "%s: the metrics are of %d classes, must be of 2", __func__,
                         metrics->classes);
    cnni_float_enter(&host);
    *area = cnni_roc_area(&metrics->roc);
    cnni_float_leave(&host);
    return CNN_OK;
}

/* ---- Class by class ---- */

static bool has_class(const cnn_metrics *metrics, int32_t index)
{
    return metrics != NULL && index >= 0 && index < metrics->classes;
}

int64_t cnn_metrics_confusion(const cnn_metrics *metrics, int32_t actual, int32_t predicted)
{
    if (!has_class(metrics, actual) || !has_class(metrics, predicted))
        return 0;
    return *cell(metrics, actual, predicted);
}

int64_t cnn_metrics_actual(const cnn_metrics *metrics, int32_t index)
{
    int64_t sum = 0;
    for (int32_t k = 0; has_class(metrics, index) && k < metrics->classes; k++)
        sum += *cell(metrics, index, k);
    return sum;
}

int64_t cnn_metrics_predicted(const cnn_metrics *metrics, int32_t index)
{
    int64_t sum = 0;
    for (int32_t k = 0; has_class(metrics, index) && k < metrics->classes; k++)
        sum += *cell(metrics, k, index);
    return sum;
}

double cnn_metrics_precision(const cnn_metrics *metrics, int32_t index)
{
    return cnni_ratio((double)cnn_metrics_confusion(metrics, index, index),
                      (double)cnn_metrics_predicted(metrics, index));
}

double cnn_metrics_recall(const cnn_metrics *metrics, int32_t index)
{
    return cnni_ratio((double)cnn_metrics_confusion(metrics, index, index),
                      (double)cnn_metrics_actual(metrics, index));
}

double cnn_metrics_f1(const cnn_metrics *metrics, int32_t index)
{
    /* 2 tp + fp + fn is what is of the class and what was taken for it. */
    return cnni_ratio(
        2 * (double)cnn_metrics_confusion(metrics, index, index),
        (double)(cnn_metrics_actual(metrics, index) + cnn_metrics_predicted(metrics, index)));
}

typedef double class_figure(const cnn_metrics *metrics, int32_t index);

static double macro_mean(class_figure *figure, const cnn_metrics *metrics)
{
    struct cnni_float_state host;
    volatile double sum = 0; /* for the reason that is in cnni_ratio() */
    double defined = 0;
    cnni_float_enter(&host);
    for (int32_t k = 0; k < cnn_metrics_class_count(metrics); k++) {
        const double value = figure(metrics, k);
        if (!isnan(value)) {
            sum += value;
            defined++;
        }
    }
    cnni_float_leave(&host);
    return cnni_ratio(sum, defined);
}

double cnn_metrics_macro_precision(const cnn_metrics *metrics)
{
    return macro_mean(cnn_metrics_precision, metrics);
}

double cnn_metrics_macro_recall(const cnn_metrics *metrics)
{
    return macro_mean(cnn_metrics_recall, metrics);
}

double cnn_metrics_macro_f1(const cnn_metrics *metrics)
{
    return macro_mean(cnn_metrics_f1, metrics);
}
