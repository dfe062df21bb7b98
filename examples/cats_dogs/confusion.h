/* SPDX-License-Identifier: MIT
 * Which class is taken for which: predicts a whole dataset and counts. */
#ifndef CONFUSION_H
#define CONFUSION_H

#include <cnn.h>

#include <stdbool.h>

/* Whether `dataset`, opened from `path`, has the classes of `model`; names both, if not. */
bool confusion_same_classes(const cnn_model *model, const cnn_dataset *dataset, const char *path);

/* Predicts every picture of `dataset`, with `flip` averaged over its mirror image.  Prints that and
 * `what` these are, "the test pictures"; then the figures of figures_print(), whose last one, the
 * accuracy, it also writes into `accuracy` unless that is NULL.  Bad pictures are left out and
 * reported.  False when it cannot, after a message, or was interrupted. */
bool confusion_report(double *accuracy, cnn_context *context, cnn_model *model,
                      cnn_dataset *dataset, const char *what, bool flip);

#endif
