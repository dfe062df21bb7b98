/* SPDX-License-Identifier: MIT
 * What the small examples share, first of all a way to stop at the first failure.
 *
 * Ending the process suits an example of fifty lines.  A program that has something to clean up
 * passes the status on instead: see cats_dogs/train.c. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <cnn.h>

/* Does nothing for CNN_OK; for any other status prints why the call failed and ends the program. */
void check(cnn_status status);

/* Appends `layer`; the model shares it from then on, so that the caller's reference is freed. */
void append(cnn_model *model, cnn_layer *layer);

/* What cnn_trainer_fit() calls after each step and each epoch: a line for each epoch.  Any result
 * but 0 would stop the training. */
int32_t print_epoch(void *user, const cnn_progress *progress);

#endif
