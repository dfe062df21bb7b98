/* SPDX-License-Identifier: MIT
 * Gradients of several batches for one update.  Within a group, each batch's gradient, that of a
 * mean, is multiplied by its part of the most samples that the group may have; the update
 * multiplies by the inverse part that all of them were, 1 for a full group.
 *
 * What a forward pass leaves besides, running statistics and the number of passes, is the model's
 * and the trainer's only from the update on: until then the statistics change places with those of
 * the latest update for each pass, so that others who predict in between see these, and a group can
 * be dropped at any time. */
#include "base/error.h"
#include "model/trainer_internal.h"
#include "model/weight_set.h"

cnn_status cnn_trainer_set_accumulation(cnn_trainer *trainer, int64_t batches)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (batches < 1 || batches > INT32_MAX)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: batches is %lld, must be 1 to %d", __func__, (long long)batches,
                         INT32_MAX);
    if (batches > 1 && trainer->group.statistics == NULL)
        CNNI_TRY(cnni_weight_set_create_statistics(&trainer->group.statistics, trainer->model,
                                                   __func__));
    trainer->accumulation = batches;
    return CNN_OK;
}

static void start(struct cnni_group *group, int64_t batches, int64_t batch)
{
    group->batches = batches;
    group->most_samples = batches * batch;
    group->done = group->samples = 0;
}

void cnni_group_begin(cnn_trainer *trainer, int64_t batch)
{
    start(&trainer->group, trainer->accumulation, batch);
}

void cnni_group_drop(cnn_trainer *trainer)
{
    if (trainer->group.done > 0) {
        cnni_trainer_clear_gradients(trainer);
        trainer->passes = trainer->group.passes;
    }
    start(&trainer->group, 1, 0);
}

void cnni_group_enter(cnn_trainer *trainer)
{
    struct cnni_group *group = &trainer->group;
    cnni_average_use(trainer, false);
    if (group->batches == 1)
        return;
    if (group->done == 0) {
        group->passes = trainer->passes;
        cnni_weight_set_keep(group->statistics, trainer->model);
    }
    cnni_weight_set_swap(group->statistics, trainer->model);
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
    struct cnni_group *group = &trainer->group;
    group->samples += n;
    if (++group->done >= group->batches)
        return true;
    cnni_weight_set_swap(group->statistics, trainer->model);
    return false;
}

double cnni_group_end(cnn_trainer *trainer)
{
    struct cnni_group *group = &trainer->group;
    const double scale =
        group->batches > 1 ? (double)group->most_samples / (double)group->samples : 1;
    group->done = group->samples = 0;
    return scale;
}
