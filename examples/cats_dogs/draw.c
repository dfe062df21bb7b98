/* SPDX-License-Identifier: MIT
 * cats-dogs draw: makes pictures to train on, to look at, or to predict. */
#include "commands.h"
#include "console.h"
#include "drawings.h"
#include "interrupt.h"

int command_draw(const struct options *options)
{
    interrupt_catch();
    if (!drawings_create(options->operands[0], (int)options->kinds, options->count,
                         (uint64_t)options->seed))
        return EXIT_ERROR;
    return EXIT_FINE;
}
