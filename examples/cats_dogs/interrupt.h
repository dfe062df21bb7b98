/* SPDX-License-Identifier: MIT
 * Ctrl-C: the first one asks the program to finish cleanly, the second one ends it at once. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <cnn.h>

#include <stdbool.h>

/* From now on waits for interrupts, and for requests to terminate.  Call it before anything that
 * starts threads. */
void interrupt_catch(void);

/* Whether one has come. */
bool interrupt_seen(void);

/* Lets an interrupt cancel what `trainer` is doing; NULL ends that. */
void interrupt_cancels(cnn_trainer *trainer);

/* Lets the second interrupt remove the drawings in `folder`, borrowed until NULL ends that. */
void interrupt_removes(const char *folder);

#endif
