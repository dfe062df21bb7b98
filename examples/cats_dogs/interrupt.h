/* SPDX-License-Identifier: MIT
 * Ctrl-C: the first one asks the program to finish cleanly, the second one ends it at once. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <cnn.h>

#include <stdbool.h>

/* From now on catches one interrupt, or one request to terminate. */
void interrupt_catch(void);

/* Whether one has come. */
bool interrupt_seen(void);

/* Lets an interrupt cancel what `trainer` is doing; NULL ends that. */
void interrupt_cancels(cnn_trainer *trainer);

#endif
