/* SPDX-License-Identifier: MIT
 * What the three small examples share: a way to stop at the first failure.
 *
 * Ending the process suits an example of fifty lines.  A program that has something to clean up
 * passes the status on instead: see cats_dogs/train.c. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <cnn.h>

/* Does nothing for CNN_OK; for any other status prints why the call failed and ends the program. */
void check(cnn_status status);

#endif
