/* SPDX-License-Identifier: MIT
 * What of a trainer's loss can be set, at any time between steps. */
#include "base/error.h"
#include "base/memory.h"
#include "model/trainer_internal.h"

#include <float.h>
#include <string.h>

cnn_status cnn_trainer_set_label_smoothing(cnn_trainer *trainer, double smoothing)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (trainer->loss.kind != CNN_SOFTMAX_CROSS_ENTROPY)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: the loss is %s, must be softmax_cross_entropy", __func__,
                         cnn_loss_name(trainer->loss.kind));
    if (!(smoothing >= 0 && smoothing < 1))
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: smoothing is %g, must be at least 0 and below 1", __func__,
                         smoothing);
    trainer->loss.smoothing = smoothing;
    return CNN_OK;
}

static cnn_status check_weights(const cnn_trainer *trainer, const double *weights, int32_t count,
                                const char *function)
{
    const int64_t outputs = cnni_shape_count(&trainer->loss.shape);
    if (count != outputs)
        return cnni_fail(trainer->context, CNN_ERROR_SHAPE,
                         "%s: count is %d, must be the number of outputs, %lld", function, count,
                         (long long)outputs);
    for (int32_t i = 0; i < count; i++)
        if (!(weights[i] > 0 && weights[i] <= DBL_MAX))
            return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                             "%s: weight %d is %g, must be finite and above 0", function, i,
                             weights[i]);
    return CNN_OK;
}

/* NULL instead of weights takes them back. */
static cnn_status set_weights(cnn_trainer *trainer, cnn_loss loss, const double *weights,
                              int32_t count, const char *function)
{
    double *copy = NULL;
    if (trainer == NULL)
        return cnni_fail_null(NULL, function, "trainer");
    if (trainer->loss.kind != loss)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: the loss is %s, must be %s",
                         function, cnn_loss_name(trainer->loss.kind), cnn_loss_name(loss));
    if (weights != NULL) {
        CNNI_TRY(check_weights(trainer, weights, count, function));
        CNNI_TRY(cnni_alloc(&copy, trainer->context, (size_t)count, sizeof *copy, function));
        memcpy(copy, weights, (size_t)count * sizeof *copy);
    }
    cnni_free(trainer->context, trainer->weights);
    trainer->weights = copy;
    trainer->loss.weights = copy;
    return CNN_OK;
}

cnn_status cnn_trainer_set_class_weights(cnn_trainer *trainer, const double *weights, int32_t count)
{
    return set_weights(trainer, CNN_SOFTMAX_CROSS_ENTROPY, weights, count, __func__);
}

cnn_status cnn_trainer_set_positive_weights(cnn_trainer *trainer, const double *weights,
                                            int32_t count)
{
    return set_weights(trainer, CNN_BINARY_CROSS_ENTROPY, weights, count, __func__);
}
