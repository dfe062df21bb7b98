/* SPDX-License-Identifier: MIT
 * The commands of the program.  Each returns the exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "options.h"

int command_train(const struct options *options);
int command_evaluate(const struct options *options);
int command_report(const struct options *options);
int command_predict(const struct options *options);
int command_check(const struct options *options);
int command_draw(const struct options *options);

#endif
