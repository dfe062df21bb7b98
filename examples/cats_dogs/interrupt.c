/* SPDX-License-Identifier: MIT
 * A signal handler may do next to nothing: it sets a flag, and makes the one call of the library
 * that is allowed there. */
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static volatile sig_atomic_t seen;
static _Atomic(cnn_trainer *) running;

static void on_signal(int signal_number)
{
    cnn_trainer *trainer = atomic_load(&running);

    (void)signal_number;
    seen = 1;
    if (trainer != NULL)
        cnn_trainer_cancel(trainer);
}

void interrupt_catch(void)
{
    /* SA_RESETHAND: the second signal finds the system's default, which ends the program. */
    struct sigaction action = {
        .sa_handler = on_signal,
        .sa_flags = (int)(SA_RESETHAND | SA_RESTART),
    };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupt_seen(void)
{
    return seen != 0;
}

void interrupt_cancels(cnn_trainer *trainer)
{
    atomic_store(&running, trainer);
}
