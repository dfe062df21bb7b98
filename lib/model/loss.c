/* SPDX-License-Identifier: MIT
 * Losses on logits, in double precision: the outputs of a classifier are few, and a loss is read by
 * people. */
#include "model/loss.h"

#include "base/error.h"
#include "base/real.h"
#include "ops/op_softmax.h"

#include <math.h>

/* One loss over a batch. */
struct batch {
    const struct cnni_loss *loss;
    int64_t n, outputs; /* samples; numbers per sample */
    float *gradient;    /* [n][outputs], or NULL */
    float *softmax;     /* [n][outputs] */
    const float *output;
    const int32_t *labels; /* [n], or NULL */
    const float *targets;  /* [n][outputs], or NULL */
};

static int64_t first_largest(const float *values, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* The target probability of class `k` for sample `i`, smoothed. */
static double target_of(const struct batch *batch, int64_t i, int64_t k)
{
    double sharp =
        batch->labels != NULL ? batch->labels[i] == k : batch->targets[i * batch->outputs + k];
    double smoothing = batch->loss->smoothing;
    return (1 - smoothing) * sharp + smoothing / (double)batch->outputs;
}

/* -log softmax(z)[k] is (largest - z[k]) - log softmax(z)[of the largest]: exact differences of
 * logits, however far these are from 0, and the logarithm of a number that is never tiny. */
static double sample_cross_entropy(const struct batch *batch, int64_t i, int64_t largest)
{
    const float *z = batch->output + i * batch->outputs,
                *softmax = batch->softmax + i * batch->outputs;
    double log_sum = -cnni_log((double)softmax[largest]), targets = 0, loss = 0;
    for (int64_t k = 0; k < batch->outputs; k++) {
        double target = target_of(batch, i, k);
        targets += target;
        if (target != 0)
            loss += target * ((double)z[largest] - (double)z[k] + log_sum);
    }
    for (int64_t k = 0; batch->gradient != NULL && k < batch->outputs; k++)
        batch->gradient[i * batch->outputs + k] =
            (float)((targets * (double)softmax[k] - target_of(batch, i, k)) / (double)batch->n);
    return loss;
}

static struct cnni_loss_result softmax_cross_entropy(const struct batch *batch)
{
    struct cnni_loss_result result = {0};
    int64_t outputs = batch->outputs;
    cnni_softmax_forward(batch->loss->context, batch->loss->lanes, batch->n, outputs,
                         batch->softmax, NULL, batch->output);
    for (int64_t i = 0; i < batch->n; i++) {
        int64_t largest = first_largest(batch->output + i * outputs, outputs);
        int64_t wanted = batch->labels != NULL
                             ? batch->labels[i]
                             : first_largest(batch->targets + i * outputs, outputs);
        const double loss = sample_cross_entropy(batch, i, largest);
        result.sum += loss;
        result.right += largest == wanted && !isnan(loss); /* of NaN the first is the largest */
    }
    return result;
}

static struct cnni_loss_result binary_cross_entropy(const struct batch *batch)
{
    struct cnni_loss_result result = {0};
    double numbers = (double)(batch->n * batch->outputs);
    for (int64_t i = 0; i < batch->n * batch->outputs; i++) {
        double z = (double)batch->output[i];
        double target = batch->labels != NULL ? batch->labels[i] : (double)batch->targets[i];
        double small = cnni_exp(-fabs(z)); /* at most 1: nothing overflows */
        double sigmoid = z >= 0 ? 1 / (1 + small) : small / (1 + small);
        result.sum += (fmax(z, 0) - z * target + cnni_log(1 + small)) / (double)batch->outputs;
        result.right += (z > 0) == (target > 0.5) && !isnan(z);
        if (batch->gradient != NULL)
            batch->gradient[i] = (float)((sigmoid - target) / numbers);
    }
    return result;
}

static struct cnni_loss_result mean_squared_error(const struct batch *batch)
{
    struct cnni_loss_result result = {0};
    double numbers = (double)(batch->n * batch->outputs);
    for (int64_t i = 0; i < batch->n * batch->outputs; i++) {
        double difference = (double)batch->output[i] - (double)batch->targets[i];
        result.sum += difference * difference / (double)batch->outputs;
        if (batch->gradient != NULL)
            batch->gradient[i] = (float)(2 * difference / numbers);
    }
    return result;
}

static const struct {
    const char *name;
    struct cnni_loss_result (*run)(const struct batch *batch);
} losses[] = {
    [CNN_SOFTMAX_CROSS_ENTROPY] = {"softmax_cross_entropy", softmax_cross_entropy},
    [CNN_BINARY_CROSS_ENTROPY] = {"binary_cross_entropy", binary_cross_entropy},
    [CNN_MEAN_SQUARED_ERROR] = {"mean_squared_error", mean_squared_error},
};

static bool is_loss(cnn_loss loss)
{
    return loss >= 1 && loss < CNNI_COUNT(losses);
}

const char *cnn_loss_name(cnn_loss loss)
{
    return is_loss(loss) ? losses[loss].name : "unknown loss";
}

bool cnni_loss_has_classes(const struct cnni_loss *loss)
{
    return loss->kind == CNN_SOFTMAX_CROSS_ENTROPY ||
           (loss->kind == CNN_BINARY_CROSS_ENTROPY && cnni_shape_count(&loss->shape) == 1);
}

cnn_status cnni_loss_check(const struct cnni_loss *loss, const char *function)
{
    char text[CNNI_SHAPE_TEXT];
    if (!is_loss(loss->kind))
        return cnni_fail(loss->context, CNN_ERROR_INVALID,
                         "%s: loss is %d, must be one of CNN_SOFTMAX_CROSS_ENTROPY ... "
                         "CNN_MEAN_SQUARED_ERROR",
                         function, loss->kind);
    if (loss->kind == CNN_SOFTMAX_CROSS_ENTROPY && loss->shape.rank != 1)
        return cnni_fail(loss->context, CNN_ERROR_SHAPE,
                         "%s: the model's output is %s, %s takes [classes]", function,
                         cnni_shape_text(text, &loss->shape), losses[loss->kind].name);
    return CNN_OK;
}

/* How many labels there may be: the classes, or yes and no. */
static int64_t label_count(const struct cnni_loss *loss)
{
    return loss->kind == CNN_SOFTMAX_CROSS_ENTROPY ? loss->shape.dim[0] : 2;
}

cnn_status cnni_loss_check_targets(const struct cnni_loss *loss, const cnn_tensor *targets,
                                   int64_t n, const char *function)
{
    const struct cnni_shape label = {.rank = 0};
    if (targets == NULL)
        return cnni_fail_null(loss->context, function, "targets[0]");
    bool labels = targets->dtype == CNN_INT32 && cnni_loss_has_classes(loss);
    CNNI_TRY(cnni_tensor_check_samples(n, loss->context, targets, labels ? CNN_INT32 : CNN_FLOAT32,
                                       labels ? &label : &loss->shape, function, "targets[0]"));
    const int32_t *values = targets->data;
    for (int64_t i = 0; labels && i < n; i++)
        if (values[i] < 0 || values[i] >= label_count(loss))
            return cnni_fail(loss->context, CNN_ERROR_INVALID,
                             "%s: label %lld is %d, must be 0 to %lld", function, (long long)i,
                             values[i], (long long)label_count(loss) - 1);
    return CNN_OK;
}

cnn_status cnni_loss_check_classes(const struct cnni_loss *loss, int32_t classes,
                                   const char *function, const char *what)
{
    if (!cnni_loss_has_classes(loss))
        return cnni_fail(loss->context, CNN_ERROR_SHAPE,
                         "%s: %s has labels, the loss %s needs float32 targets", function, what,
                         losses[loss->kind].name);
    if (classes > label_count(loss))
        return cnni_fail(loss->context, CNN_ERROR_SHAPE,
                         "%s: %s has %d classes, the model and its loss tell %lld apart", function,
                         what, classes, (long long)label_count(loss));
    return CNN_OK;
}

struct cnni_loss_result cnni_loss_run(const struct cnni_loss *loss, int64_t n, float *gradient,
                                      float *work, const float *output, const cnn_tensor *targets)
{
    const struct batch batch = {
        .loss = loss,
        .n = n,
        .outputs = cnni_shape_count(&loss->shape),
        .gradient = gradient,
        .softmax = work,
        .output = output,
        .labels = targets->dtype == CNN_INT32 ? targets->data : NULL,
        .targets = targets->dtype == CNN_FLOAT32 ? targets->data : NULL,
    };
    return losses[loss->kind].run(&batch);
}
