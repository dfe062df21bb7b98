/* SPDX-License-Identifier: MIT
 * Scores of samples of two classes, and the area under their ROC curve. */
#ifndef CNNI_ROC_H
#define CNNI_ROC_H

#include "base/base.h"
#include "cnn/context.h"

/* The scores of one class, a list that doubles. */
struct cnni_scores {
    double *value;
    int64_t count, room;
    bool sorted;
};

/* Zeroed: no samples. */
struct cnni_roc {
    struct cnni_scores of[2]; /* class 0, class 1 */
};

/* Makes room for `more` further samples of class `index`.  CNN_ERROR_LIMIT for 2^32 in all: twice
 * the product of two numbers below 2^32 whose sum is below it fits into 64 bits. */
cnn_status cnni_roc_reserve(struct cnni_roc *roc, cnn_context *context, int32_t index, int64_t more,
                            const char *function);

/* Adds a sample of class `index`, for which there is room; `score` is not NaN. */
void cnni_roc_add(struct cnni_roc *roc, int32_t index, double score);

void cnni_roc_clear(struct cnni_roc *roc);
void cnni_roc_free(struct cnni_roc *roc, cnn_context *context);

/* The share of pairs of a sample of each class in which class 1 has the higher score, equal ones
 * counting one half.  NaN while there is no pair. */
double cnni_roc_area(struct cnni_roc *roc);

#endif
