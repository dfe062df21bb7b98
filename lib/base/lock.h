/* SPDX-License-Identifier: MIT
 * Locks that are of use in a child after fork(): what threads of the parent held at that moment,
 * which are not there to give it back, counts as free. */
#ifndef CNNI_LOCK_H
#define CNNI_LOCK_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

/* A mutex.  What it guards must be of use however far a change of it had got. */
struct cnni_lock {
    pthread_mutex_t mutex;
    atomic_int process; /* that `mutex` is made for; its negative meanwhile */
};

/* False when the system has no more. */
bool cnni_lock_init(struct cnni_lock *lock);
void cnni_lock_destroy(struct cnni_lock *lock);
void cnni_lock_take(struct cnni_lock *lock);
void cnni_lock_give(struct cnni_lock *lock);

/* What threads need to wait for one another, of this process alone: all three, or false. */
bool cnni_lock_init_waiting(pthread_mutex_t *lock, pthread_cond_t *first, pthread_cond_t *second);

/* Lets in any number of readers, or one writer; who cannot come in does not wait.  All zero: nobody
 * is inside. */
struct cnni_gate {
    _Atomic uint64_t state; /* the process, and how many of its threads are inside */
};

/* How many read inside; -1 for a writer. */
int32_t cnni_gate_users(struct cnni_gate *gate);

/* 0 when let in, else who is in the way, as cnni_gate_users() counts. */
int32_t cnni_gate_enter_reading(struct cnni_gate *gate);
int32_t cnni_gate_enter_writing(struct cnni_gate *gate);

/* What was entered in another process is left without a trace. */
void cnni_gate_leave(struct cnni_gate *gate);

#endif
