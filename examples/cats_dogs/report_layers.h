/* SPDX-License-Identifier: MIT
 * The network, layer by layer, with the time that each takes. */
#ifndef REPORT_LAYERS_H
#define REPORT_LAYERS_H

#include "predictor.h"

#include <stdbool.h>
#include <stdio.h>

/* Measures the predictor's session, on its input, for the seconds of each layer: a new array; NULL,
 * after a message, when that cannot be done. */
double *layers_seconds(struct predictor *predictor);

/* The sum over all layers. */
double layers_total(const double *seconds, const cnn_model *model);

/* The table. */
void layers_table(FILE *page, cnn_model *model, const double *seconds);

/* How the session runs it, as the library says; false without memory. */
bool layers_plan(FILE *page, const cnn_session *session);

#endif
