/* SPDX-License-Identifier: MIT
 * How a training went. */
#ifndef REPORT_CURVES_H
#define REPORT_CURVES_H

#include "history.h"

#include <stdio.h>

/* Charts of loss, accuracy, learning rate and time over the epochs, of which there are some. */
void curves_write(FILE *page, const struct history *history, int64_t best_epoch);

#endif
