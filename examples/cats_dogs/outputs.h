/* SPDX-License-Identifier: MIT
 * The files that a command writes: none goes over another, nor over anything but a file of its own
 * kind. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "options.h"

#include <stdbool.h>

/* Whether the outputs of `train`, or of `report` with its page at `page`, can be written and do not
 * destroy what may be wanted; says why, if not.  Nothing is changed. */
bool outputs_check_training(const struct options *options);
bool outputs_check_report(const struct options *options, const char *page);

#endif
