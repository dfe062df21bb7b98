/* SPDX-License-Identifier: MIT
 * A clock that never goes back, for how long something takes. */
#ifndef CNNI_CLOCK_H
#define CNNI_CLOCK_H

#include <stdint.h>

/* Since some moment in the past. */
int64_t cnni_nanoseconds(void);
double cnni_seconds(void);

#endif
