/* SPDX-License-Identifier: MIT
 * Pictures of the dataset, and of what the network sees in them. */
#ifndef REPORT_PICTURES_H
#define REPORT_PICTURES_H

#include "report_answers.h"

#include <stdbool.h>
#include <stdio.h>

/* All are false without memory, with the page incomplete.  Pictures that cannot be read any more
 * are left out, after a message. */

/* The first pictures of an order, with what they are and what they are taken for. */
bool pictures_gallery(FILE *page, const struct answers *answers, struct predictor *predictor,
                      const struct answer_order *order);

/* Some pictures beside what speaks for their class: the surest right ones, of different classes,
 * and the worst mistakes. */
bool pictures_heat(FILE *page, const struct answers *answers, struct predictor *predictor);

/* The kernels of the first convolution. */
bool pictures_filters(FILE *page, struct predictor *predictor);

#endif
