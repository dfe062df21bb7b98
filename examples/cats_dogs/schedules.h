/* SPDX-License-Identifier: MIT
 * How the learning rate moves during a training. */
#ifndef SCHEDULES_H
#define SCHEDULES_H

#include <cnn.h>

struct schedule {
    const char *name;
    /* Sets it for a training of `steps` steps, of which `warmup` are to be slower. */
    cnn_status (*set)(cnn_optimizer *optimizer, int64_t steps, int64_t warmup);
};

/* The schedule of a name; NULL, after a message, for another one. */
const struct schedule *schedule_find(const char *name);

#endif
