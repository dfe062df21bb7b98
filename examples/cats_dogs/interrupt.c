/* SPDX-License-Identifier: MIT
 * A thread waits for the signals, which all others block: unlike a signal handler, it may do
 * anything. */
#include "interrupt.h"

#include "drawings.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the following */
static bool seen;
static cnn_trainer *running;
static const char *temporary;

static sigset_t signals;

static void ask_to_finish(void)
{
    pthread_mutex_lock(&lock);
    seen = true;
    if (running != NULL)
        cnn_trainer_cancel(running);
    pthread_mutex_unlock(&lock);
}

/* As the signal does where nobody waits for it. */
static void end_program(int signal_number)
{
    pthread_mutex_lock(&lock);
    if (temporary != NULL)
        drawings_remove(temporary);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    raise(signal_number);
}

static void *wait_for_signals(void *unused)
{
    int signal_number;

    (void)unused;
    sigwait(&signals, &signal_number);
    ask_to_finish();
    sigwait(&signals, &signal_number);
    end_program(signal_number);
    return NULL;
}

void interrupt_catch(void)
{
    pthread_t thread;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    /* A shell starts what is in the background with interrupts ignored. */
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* then the first one ends the program */
}

bool interrupt_seen(void)
{
    pthread_mutex_lock(&lock);
    const bool result = seen;
    pthread_mutex_unlock(&lock);
    return result;
}

void interrupt_cancels(cnn_trainer *trainer)
{
    pthread_mutex_lock(&lock);
    running = trainer;
    if (trainer != NULL && seen)
        cnn_trainer_cancel(trainer);
    pthread_mutex_unlock(&lock);
}

void interrupt_removes(const char *folder)
{
    pthread_mutex_lock(&lock);
    temporary = folder;
    pthread_mutex_unlock(&lock);
}
