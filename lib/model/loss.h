/* SPDX-License-Identifier: MIT
 * Losses: the value and the gradient by what the model put out.  Formulas: cnn/trainer.h. */
#ifndef CNNI_LOSS_H
#define CNNI_LOSS_H

#include "cnn/trainer.h"
#include "tensor/tensor_internal.h"

struct cnni_loss {
    cnn_context *context;
    int32_t lanes;
    cnn_loss kind;
    struct cnni_shape shape; /* of one sample's output */
    double smoothing;
    const double *weights; /* [outputs] of classes, or of positive targets; NULL: all are 1 */
};

/* CNN_ERROR_INVALID for a number that is no loss, CNN_ERROR_SHAPE for an output that it cannot
 * take. */
cnn_status cnni_loss_check(const struct cnni_loss *loss, const char *function);

/* CNN_OK when `targets` are right for `n` samples: shape, type, labels in range. */
cnn_status cnni_loss_check_targets(const struct cnni_loss *loss, const cnn_tensor *targets,
                                   int64_t n, const char *function);

/* CNN_ERROR_SHAPE when labels of `classes` classes, from `what`, are not what the loss takes: int32
 * numbers, or float32 shares. */
cnn_status cnni_loss_check_classes(const struct cnni_loss *loss, int32_t classes,
                                   cnn_dtype label_dtype, const char *function, const char *what);

/* The sum over `n` samples of the loss of each, what it is divided by for the mean (the number of
 * samples, or the sum of their classes' weights), how many of them are right (classes only), and,
 * where `gradient` is not NULL, the gradient of the mean by `output` [n][shape].  `work` has room
 * for n * shape floats. */
struct cnni_loss_result {
    double sum, weight, mean;
    int64_t right;
};
struct cnni_loss_result cnni_loss_run(const struct cnni_loss *loss, int64_t n, float *gradient,
                                      float *work, const float *output, const cnn_tensor *targets);

/* Which class `count` outputs, or shares of classes, stand for: the largest, of equal ones the
 * first. */
int64_t cnni_first_largest(const float *values, int64_t count);

/* Whether the loss knows right from wrong. */
bool cnni_loss_has_classes(const struct cnni_loss *loss);

#endif
