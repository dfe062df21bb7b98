/* SPDX-License-Identifier: MIT
 * Learning rates over the steps. */
#include "base/real.h"
#include "model/optimizer.h"

static double step_rate(const struct cnni_schedule *schedule, int64_t t)
{
    return schedule->base * cnni_power(schedule->factor, (t - 1) / schedule->steps);
}

static double cosine_rate(const struct cnni_schedule *schedule, int64_t t)
{
    int64_t length = schedule->steps - schedule->warmup, done = t - 1 - schedule->warmup;
    if (done >= length)
        return schedule->final_rate;
    double half = done <= 0 ? 1 : (1 + cnni_cospi((double)done / (double)length)) / 2;
    return schedule->final_rate + (schedule->base - schedule->final_rate) * half;
}

double cnni_schedule_rate(const struct cnni_schedule *schedule, int64_t t)
{
    double rate = schedule->kind == CNNI_SCHEDULE_STEP     ? step_rate(schedule, t)
                  : schedule->kind == CNNI_SCHEDULE_COSINE ? cosine_rate(schedule, t)
                                                           : schedule->base;
    return t < schedule->warmup ? rate * ((double)t / (double)schedule->warmup) : rate;
}
