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
    double weight;      /* what the sum of the losses is divided by */
    float *gradient;    /* [n][outputs], or NULL */
    float *softmax;     /* [n][outputs] */
    const float *output;
    const int32_t *labels; /* [n], or NULL */
    const float *targets;  /* [n][outputs], or NULL */
};

int64_t cnni_first_largest(const float *values, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

static double weight_of(const struct cnni_loss *loss, int64_t k)
{
    return loss->weights == NULL ? 1 : loss->weights[k];
}

/* Labels are weighed by their classes; the shares of a float32 target say themselves how much they
 * count.  This is what PyTorch does. */
static double sum_of_weights(const struct batch *batch)
{
    double sum = 0;
    if (batch->labels == NULL || batch->loss->kind != CNN_SOFTMAX_CROSS_ENTROPY)
        return (double)batch->n;
    for (int64_t i = 0; i < batch->n; i++)
        sum += weight_of(batch->loss, batch->labels[i]);
    return sum;
}

/* The target probability of class `k` for sample `i`, smoothed, times the weight of the class. */
static double target_of(const struct batch *batch, int64_t i, int64_t k)
{
    double sharp =
        batch->labels != NULL ? batch->labels[i] == k : batch->targets[i * batch->outputs + k];
    double smoothing = batch->loss->smoothing;
    return weight_of(batch->loss, k) *
           ((1 - smoothing) * sharp + smoothing / (double)batch->outputs);
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
            (float)((targets * (double)softmax[k] - target_of(batch, i, k)) / batch->weight);
    return loss;
}

static struct cnni_loss_result softmax_cross_entropy(const struct batch *batch)
{
    struct cnni_loss_result result = {0};
    int64_t outputs = batch->outputs;
    cnni_softmax_forward(batch->loss->context, batch->loss->lanes, batch->n, outputs,
                         batch->softmax, NULL, batch->output);
    for (int64_t i = 0; i < batch->n; i++) {
        int64_t largest = cnni_first_largest(batch->output + i * outputs, outputs);
        int64_t wanted = batch->labels != NULL
                             ? batch->labels[i]
                             : cnni_first_largest(batch->targets + i * outputs, outputs);
        const double loss = sample_cross_entropy(batch, i, largest);
        result.sum += loss;
        result.right += largest == wanted && !isnan(loss); /* of NaN the first is the largest */
    }
    return result;
}

/* The loss of one output, and its gradient by z; a weight counts a positive target more often. */
static double output_cross_entropy(double *gradient, double z, double target, double weight)
{
    const double small = cnni_exp(-fabs(z)); /* at most 1: nothing overflows */
    const double sigmoid = z >= 0 ? 1 / (1 + small) : small / (1 + small);
    const double softplus = cnni_log(1 + small);
    double loss = fmax(z, 0) - z * target + softplus;
    *gradient = sigmoid - target;
    if (weight != 1) {
        loss += (weight - 1) * target * (fmax(-z, 0) + softplus);
        *gradient += (weight - 1) * target * (sigmoid - 1);
    }
    return loss;
}

static struct cnni_loss_result binary_cross_entropy(const struct batch *batch)
{
    struct cnni_loss_result result = {0};
    double numbers = (double)(batch->n * batch->outputs), gradient;
    for (int64_t i = 0; i < batch->n * batch->outputs; i++) {
        double z = (double)batch->output[i];
        double target = batch->labels != NULL ? batch->labels[i] : (double)batch->targets[i];
        double weight = weight_of(batch->loss, i % batch->outputs);
        result.sum += output_cross_entropy(&gradient, z, target, weight) / (double)batch->outputs;
        result.right += (z > 0) == (target > 0.5) && !isnan(z);
        if (batch->gradient != NULL)
            batch->gradient[i] = (float)(gradient / numbers);
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

/* Shares of classes are targets like any others of the output's shape. */
static cnn_status check_shares(const struct cnni_loss *loss, int32_t classes, const char *function,
                               const char *what)
{
    const struct cnni_shape shares = {.rank = 1, .dim = {classes}};
    char found[CNNI_SHAPE_TEXT], wanted[CNNI_SHAPE_TEXT];
    if (cnni_shape_equal(&loss->shape, &shares))
        return CNN_OK;
    return cnni_fail(loss->context, CNN_ERROR_SHAPE,
                     "%s: %s mixes its samples, whose labels are %s, the loss %s takes %s",
                     function, what, cnni_shape_text(found, &shares), losses[loss->kind].name,
                     cnni_shape_text(wanted, &loss->shape));
}

cnn_status cnni_loss_check_classes(const struct cnni_loss *loss, int32_t classes,
                                   cnn_dtype label_dtype, const char *function, const char *what)
{
    if (label_dtype == CNN_FLOAT32)
        return check_shares(loss, classes, function, what);
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
    struct batch batch = {
        .loss = loss,
        .n = n,
        .outputs = cnni_shape_count(&loss->shape),
        .gradient = gradient,
        .softmax = work,
        .output = output,
        .labels = targets->dtype == CNN_INT32 ? targets->data : NULL,
        .targets = targets->dtype == CNN_FLOAT32 ? targets->data : NULL,
    };
    batch.weight = sum_of_weights(&batch);
    struct cnni_loss_result result = losses[loss->kind].run(&batch);
    result.weight = batch.weight;
    result.mean = result.sum / batch.weight;
    return result;
}
