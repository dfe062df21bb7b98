/* SPDX-License-Identifier: MIT
 * Gradients of several batches for one update.  Within a group, each batch's gradient, that of a
 * mean, is multiplied by its part of the most samples that the group may have; the update
 * multiplies by the inverse part that all of them were, 1 for a full group. */
#include "base/error.h"
#include "model/trainer_internal.h"

cnn_status cnn_trainer_set_accumulation(cnn_trainer *trainer, int64_t batches)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (batches < 1 || batches > INT32_MAX)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: batches is %lld, must be 1 to %d", __func__, (long long)batches,
                         INT32_MAX);
    trainer->accumulation = batches;
    return CNN_OK;
}

void cnni_group_begin(cnn_trainer *trainer, int64_t batch)
{
    trainer->group = (struct cnni_group){.batches = trainer->accumulation,
                                         .most_samples = trainer->accumulation * batch};
}

void cnni_group_drop(cnn_trainer *trainer)
{
    if (trainer->group.samples > 0)
        cnni_trainer_clear_gradients(trainer);
    trainer->group = (struct cnni_group){.batches = 1};
}

void cnni_group_weigh(const cnn_trainer *trainer, int64_t n)
{
    float *gradient = cnni_plan_gradient(trainer->plan, trainer->loss_layers - 1);
    const int64_t count = n * cnni_shape_count(&trainer->loss.shape);
    const float part = (float)((double)n / (double)trainer->group.most_samples);
    for (int64_t i = 0; trainer->group.batches > 1 && i < count; i++)
        gradient[i] *= part;
}

bool cnni_group_add(cnn_trainer *trainer, int64_t n)
{
    trainer->group.samples += n;
    return ++trainer->group.done >= trainer->group.batches;
}

double cnni_group_end(cnn_trainer *trainer)
{
    struct cnni_group *group = &trainer->group;
    const double scale =
        group->batches > 1 ? (double)group->most_samples / (double)group->samples : 1;
    group->done = group->samples = 0;
    return scale;
}
