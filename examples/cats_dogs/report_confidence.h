/* SPDX-License-Identifier: MIT
 * Whether the probabilities that a model gives can be believed. */
#ifndef REPORT_CONFIDENCE_H
#define REPORT_CONFIDENCE_H

#include "report_answers.h"

#include <stdio.h>

/* Charts of how often it is right, by the probability that it gives, and of how sure it is when it
 * is right or wrong. */
void confidence_write(FILE *page, const struct answers *answers);

#endif
