/* SPDX-License-Identifier: MIT
 * Validation on pictures and their mirror images. */
#include "base/error.h"
#include "base/real.h"
#include "model/trainer_internal.h"

#include <math.h>
#include <string.h>

cnn_status cnn_trainer_set_flip_averaging(cnn_trainer *trainer, int32_t on)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    return cnni_flip_set(&trainer->flip, trainer->plan, &trainer->loss.shape, on, __func__);
}

/* log of the sum of exp(z): a logit less it is the logarithm of its probability. */
static double log_sum(const float *z, int64_t count)
{
    double largest = (double)z[0], sum = 0;
    for (int64_t k = 1; k < count; k++)
        largest = (double)z[k] > largest ? (double)z[k] : largest;
    for (int64_t k = 0; k < count; k++)
        sum += cnni_exp((double)z[k] - largest);
    return largest + cnni_log(sum);
}

/* log of the mean of exp(a) and exp(b). */
static double log_mean(double a, double b)
{
    const double high = a > b ? a : b, low = a > b ? b : a;
    return high + cnni_log((1 + cnni_exp(low - high)) / 2);
}

/* Logits whose softmax is the mean of those of `z` and `other`. */
static void mean_probabilities(float *z, const float *other, int64_t n, int64_t classes)
{
    for (int64_t i = 0; i < n; i++, z += classes, other += classes) {
        const double sum = log_sum(z, classes), other_sum = log_sum(other, classes);
        for (int64_t k = 0; k < classes; k++)
            z[k] = (float)log_mean((double)z[k] - sum, (double)other[k] - other_sum);
    }
}

void cnni_trainer_flip_forward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n)
{
    struct cnni_plan *plan = trainer->plan;
    const struct cnni_flip *flip = &trainer->flip;
    const int64_t outputs = cnni_shape_count(&trainer->loss.shape);
    float *y = cnni_plan_value(plan, trainer->loss_layers - 1);
    const struct cnni_plan_run run = {.n = n, .input = flip->mirrored};
    memcpy(flip->outputs, y, (size_t)(n * outputs) * sizeof(float));
    cnni_flip_mirror(flip, plan, n, inputs->data);
    cnni_plan_forward(plan, &run, trainer->loss_layers);
    if (trainer->loss.kind == CNN_SOFTMAX_CROSS_ENTROPY)
        mean_probabilities(y, flip->outputs, n, outputs);
    else
        cnni_flip_mean(flip, n * outputs, y);
}
