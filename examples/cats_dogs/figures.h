/* SPDX-License-Identifier: MIT
 * What predictions are worth, as tables for people. */
#ifndef FIGURES_H
#define FIGURES_H

#include <cnn.h>

/* How many classes some picture was taken for: those that the mean of the precisions is over. */
int32_t figures_taken_for(const cnn_metrics *metrics);

/* Prints the confusion matrix or, of more classes than fit into a line, the most frequent mistakes;
 * a line per class; and figures over all samples, as the last line "accuracy 0.9120 (912/1000)".
 * `model` names the classes. */
void figures_print(cnn_metrics *metrics, const cnn_model *model);

#endif
