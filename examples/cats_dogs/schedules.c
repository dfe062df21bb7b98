/* SPDX-License-Identifier: MIT
 * Schedules: a function and a row each. */
#include "schedules.h"

#include "choices.h"

/* The rate rises during the warm-up and falls along a cosine to zero. */
static cnn_status set_cosine(cnn_optimizer *optimizer, int64_t steps, int64_t warmup)
{
    const cnn_status status = cnn_optimizer_set_warmup(optimizer, warmup);

    return status == CNN_OK ? cnn_optimizer_set_schedule_cosine(optimizer, steps, 0.0) : status;
}

/* A cycle has a rise of its own, and moves the momentum too. */
static cnn_status set_one_cycle(cnn_optimizer *optimizer, int64_t steps, int64_t warmup)
{
    const cnn_status status = cnn_optimizer_set_momentum_cycle(optimizer, 0.85, 0.95);

    (void)warmup;
    return status == CNN_OK
               ? cnn_optimizer_set_schedule_one_cycle(optimizer, steps, 0.3, 25.0, 10000.0)
               : status;
}

static const struct schedule schedules[] = {{"cosine", set_cosine}, {"one-cycle", set_one_cycle}};

const struct schedule *schedule_find(const char *name)
{
    static const struct choices choices = {
        "schedule", schedules, sizeof schedules / sizeof schedules[0], sizeof schedules[0]};

    return choices_find(&choices, name);
}
