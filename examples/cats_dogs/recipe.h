/* SPDX-License-Identifier: MIT
 * How long a training is and on which pictures, how it disturbs them, weighs its targets and makes
 * its steps: the network's recipe, and what the command line has instead. */
#ifndef RECIPE_H
#define RECIPE_H

#include "network_table.h"
#include "options.h"

#include <cnn.h>

#include <stdbool.h>

/* The network that `options` name; they take from its recipe all that the command line leaves open,
 * so that nothing is chosen again when the training is resumed.  NULL, after a message, where there
 * is no such network or optimizer. */
const struct network *recipe_complete(struct options *options);

/* Whether the other options that are words are ones there are; a message when not. */
bool recipe_check(const struct options *options);

/* ---- With complete options ------------------------------------------------------------------ */

/* Random crops, turns, colours, holes and mixtures for training pictures. */
cnn_status recipe_augment(cnn_loader *loader, const struct options *options);

/* The optimizer, for a training of `batches` batches an epoch. */
cnn_status recipe_optimize(cnn_optimizer **optimizer, cnn_context *context,
                           const struct network *network, const struct options *options,
                           int64_t batches);

/* Label smoothing, and weights of the classes of `dataset`. */
cnn_status recipe_weigh(cnn_trainer *trainer, const struct options *options,
                        const cnn_dataset *dataset);

/* Averages, groups of batches, patience, mirror images. */
cnn_status recipe_refine(cnn_trainer *trainer, const struct options *options);

#endif
