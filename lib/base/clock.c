/* SPDX-License-Identifier: MIT
 * The system's monotonic clock. */
#include "base/clock.h"

#include <time.h>

int64_t cnni_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

double cnni_seconds(void)
{
    return 1e-9 * (double)cnni_nanoseconds();
}
