/* SPDX-License-Identifier: MIT
 * What a model says of every picture of a dataset. */
#ifndef REPORT_ANSWERS_H
#define REPORT_ANSWERS_H

#include "predictor.h"

#include <cnn.h>

#include <stdbool.h>

/* One picture: what it is and what it is taken for. */
struct answer {
    int64_t index;                     /* in the dataset */
    int32_t actual, predicted, second; /* second: the most probable but for the predicted one */
    float actual_probability, predicted_probability;
    float margin; /* between the two most probable classes */
};

struct answers {
    cnn_dataset *dataset; /* borrowed */
    struct answer *list;
    int64_t count;
    int64_t unreadable; /* pictures that are left out */
    cnn_metrics *metrics;
    cnn_tensor *label; /* [1], of one picture */
};

/* Predicts all pictures.  False, after a message, when it cannot, and when it was interrupted; to
 * be freed in any case. */
bool answers_create(struct answers *answers, struct predictor *predictor, cnn_dataset *dataset);
void answers_free(struct answers *answers);

/* The path of an answer's picture. */
const char *answer_path(const struct answers *answers, const struct answer *answer);

/* Which answers come first, and whether they are wanted at all. */
struct answer_order {
    bool (*wants)(const struct answer *answer);
    int (*compare)(const void *a, const void *b); /* for qsort() of pointers to answers */
};

/* Wrong ones, those first that were surest of it. */
extern const struct answer_order worst_mistakes;
/* All, those first whose two most probable classes are closest. */
extern const struct answer_order most_uncertain;
/* Right ones, the surest first. */
extern const struct answer_order surest;

/* A new array of pointers to all answers that are wanted, in order; NULL without memory. */
const struct answer **answers_sorted(int64_t *count, const struct answers *answers,
                                     const struct answer_order *order);

#endif
