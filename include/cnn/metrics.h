/* SPDX-License-Identifier: MIT
 * Metrics: what the predictions of a classifier are worth, counted batch by batch against labels
 * that are known.
 *
 * Every figure is of all samples added since the handle was made or cleared, in the same bits
 * however they were cut into batches.  A figure that is not defined, as before the first sample, is
 * NaN. */
#ifndef CNN_METRICS_H
#define CNN_METRICS_H

#include "cnn/tensor.h"

CNN_BEGIN_DECLS

typedef struct cnn_metrics cnn_metrics;

/* Makes metrics of `classes` classes, at least 2.  They hold 8 * classes * (classes + 1) bytes, and
 * with two classes 8 bytes more for each sample, whose score the area under the ROC curve needs.
 * CNN_ERROR_LIMIT: more classes than the context's CNN_LIMIT_CLASSES. */
CNN_API cnn_status cnn_metrics_create(cnn_metrics **metrics, cnn_context *context, int32_t classes);

CNN_API void cnn_metrics_free(cnn_metrics *metrics);

/* Adds n samples: `outputs` is float32 [n][classes], what the model says of each, probabilities or
 * any other scores of which the largest wins; `labels` int32 [n], what they are.  Borrows both for
 * the call.  Of equal scores the first wins.  A call that fails adds nothing.
 * CNN_ERROR_SHAPE: shapes or types that do not fit.  CNN_ERROR_INVALID: a label out of range, or a
 * score that is NaN or infinite.  CNN_ERROR_LIMIT: 2^32 samples of two classes. */
CNN_API cnn_status cnn_metrics_add(cnn_metrics *metrics, const cnn_tensor *outputs,
                                   const cnn_tensor *labels);

/* Forgets all samples. */
CNN_API void cnn_metrics_clear(cnn_metrics *metrics);

/* The number of classes, and of samples. */
CNN_API int32_t cnn_metrics_class_count(const cnn_metrics *metrics);
CNN_API int64_t cnn_metrics_samples(const cnn_metrics *metrics);

/* ---- Over all samples ---------------------------------------------------------------------- */

/* The share of samples whose label has the largest score, and of those whose label is among the `k`
 * largest: 1 for `k` from the number of classes on, NaN for `k` below 1. */
CNN_API double cnn_metrics_accuracy(const cnn_metrics *metrics);
CNN_API double cnn_metrics_top_k_accuracy(const cnn_metrics *metrics, int32_t k);

/* The mean of -log(probability of the label), where a probability below 2^-126 counts as that
 * (87.3).  NaN where the scores of some sample are no probabilities: below 0, or with a sum further
 * than 0.001 from 1. */
CNN_API double cnn_metrics_log_loss(const cnn_metrics *metrics);

/* The area under the ROC curve of two classes: how likely a random sample of class 1 has a higher
 * score than a random one of class 0, equal scores counting one half (the statistic of Mann and
 * Whitney), exact but for the last division.  The score is outputs[1] - outputs[0], which puts
 * probabilities and the logits behind them in the same order.  NaN while a class has no samples.
 * Sorts what has been added since the latest call.
 * CNN_ERROR_STATE: other than two classes. */
CNN_API cnn_status cnn_metrics_roc_auc(double *area, cnn_metrics *metrics);

/* ---- Class by class ------------------------------------------------------------------------ */

/* How many samples of class `actual` were taken for class `predicted`; 0 for classes that do not
 * exist. */
CNN_API int64_t cnn_metrics_confusion(const cnn_metrics *metrics, int32_t actual,
                                      int32_t predicted);

/* How many samples are of class `index`, and how many were taken for it; 0 for one that does not
 * exist. */
CNN_API int64_t cnn_metrics_actual(const cnn_metrics *metrics, int32_t index);
CNN_API int64_t cnn_metrics_predicted(const cnn_metrics *metrics, int32_t index);

/* With tp the samples of class `index` taken for it, fn those of it taken for others, and fp others
 * taken for it:
 *   precision  tp / (tp + fp)            NaN while no sample was taken for the class
 *   recall     tp / (tp + fn)            NaN while no sample is of the class
 *   F1         2 tp / (2 tp + fp + fn)   NaN while both
 * NaN also for a class that does not exist. */
CNN_API double cnn_metrics_precision(const cnn_metrics *metrics, int32_t index);
CNN_API double cnn_metrics_recall(const cnn_metrics *metrics, int32_t index);
CNN_API double cnn_metrics_f1(const cnn_metrics *metrics, int32_t index);

/* Their means over the classes for which they are defined, each class with the same weight.  The
 * mean of the recalls is also called balanced accuracy. */
CNN_API double cnn_metrics_macro_precision(const cnn_metrics *metrics);
CNN_API double cnn_metrics_macro_recall(const cnn_metrics *metrics);
CNN_API double cnn_metrics_macro_f1(const cnn_metrics *metrics);

CNN_END_DECLS

#endif
