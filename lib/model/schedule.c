/* SPDX-License-Identifier: MIT
 * Learning rates, and momentum, over the steps. */
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

/* Half a cosine from `from` to `to`; `done` is 0 to 1. */
static double anneal(double from, double to, double done)
{
    return to + (from - to) / 2 * (1 + cnni_cospi(done));
}

/* From `start` to `peak` and on to `end` along the two halves of one cycle, as PyTorch cuts it: the
 * peak is at step rise * steps, which need not be whole, and the end at the last step. */
static double cycle(const struct cnni_schedule *schedule, int64_t t, double start, double peak,
                    double end)
{
    const double last = (double)schedule->steps - 1, done = (double)(t - 1);
    const double top = schedule->rise * (double)schedule->steps - 1;
    if (done >= last)
        return end;
    return done < top ? anneal(start, peak, done / top)
                      : anneal(peak, end, (done - top) / (last - top));
}

static double one_cycle_rate(const struct cnni_schedule *schedule, int64_t t)
{
    const double start = schedule->base / schedule->start_divisor;
    return cycle(schedule, t, start, schedule->base, start / schedule->final_divisor);
}

double cnni_schedule_momentum(const struct cnni_schedule *schedule, int64_t t, double momentum)
{
    const double low = schedule->lowest_momentum, high = schedule->highest_momentum;
    const bool moves = schedule->kind == CNNI_SCHEDULE_ONE_CYCLE && high > 0;
    return moves ? cycle(schedule, t, high, low, high) : momentum;
}

static double constant_rate(const struct cnni_schedule *schedule, int64_t t)
{
    (void)t;
    return schedule->base;
}

double cnni_schedule_rate(const struct cnni_schedule *schedule, int64_t t)
{
    static double (*const rates[])(const struct cnni_schedule *schedule, int64_t t) = {
        [CNNI_SCHEDULE_CONSTANT] = constant_rate,
        [CNNI_SCHEDULE_STEP] = step_rate,
        [CNNI_SCHEDULE_COSINE] = cosine_rate,
        [CNNI_SCHEDULE_ONE_CYCLE] = one_cycle_rate,
    };
    const double rate = rates[schedule->kind](schedule, t);
    return t < schedule->warmup ? rate * ((double)t / (double)schedule->warmup) : rate;
}
