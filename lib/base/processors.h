/* SPDX-License-Identifier: MIT
 * How many processors there are for this process. */
#ifndef CNNI_PROCESSORS_H
#define CNNI_PROCESSORS_H

#include "base/base.h"

/* The processors that this process may run on, but no more than its control group may keep busy;
 * at least 1. */
int32_t cnni_processors(void);

/* What the control group of this process and those that it is in allow, rounded up; INT32_MAX where
 * they set no quota, or where that cannot be read.  `root` comes before "/proc" and "/sys": "" but
 * for tests. */
int32_t cnni_processor_quota(const char *root);

#endif
