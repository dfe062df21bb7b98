/* SPDX-License-Identifier: MIT
 * Both locks know their process, and are new to any other.  pthread_atfork() would be the other
 * way, but its handlers are state of the host's process. */
#include "base/lock.h"

#include <sched.h>
#include <unistd.h>

/* ---- The mutex ----------------------------------------------------------------------------- */

bool cnni_lock_init(struct cnni_lock *lock)
{
    atomic_init(&lock->process, getpid());
    return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

/* Makes the mutex anew where it came through a fork; threads that the child has meanwhile wait. */
static void renew(struct cnni_lock *lock)
{
    const int process = getpid();
    int found = atomic_load_explicit(&lock->process, memory_order_acquire);
    while (found != process) {
        if (found == -process) {
            sched_yield();
            found = atomic_load_explicit(&lock->process, memory_order_acquire);
        } else if (atomic_compare_exchange_strong(&lock->process, &found, -process)) {
            /* In place of the parent's, which cannot be undone, nothing can run out. */
            (void)pthread_mutex_init(&lock->mutex, NULL);
            atomic_store_explicit(&lock->process, process, memory_order_release);
            return;
        }
    }
}

void cnni_lock_destroy(struct cnni_lock *lock)
{
    renew(lock);
    pthread_mutex_destroy(&lock->mutex);
}

void cnni_lock_take(struct cnni_lock *lock)
{
    renew(lock);
    pthread_mutex_lock(&lock->mutex);
}

void cnni_lock_give(struct cnni_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

bool cnni_lock_init_waiting(pthread_mutex_t *lock, pthread_cond_t *first, pthread_cond_t *second)
{
    if (pthread_mutex_init(lock, NULL) != 0)
        return false;
    if (pthread_cond_init(first, NULL) == 0) {
        if (pthread_cond_init(second, NULL) == 0)
            return true;
        pthread_cond_destroy(first);
    }
    pthread_mutex_destroy(lock);
    return false;
}

/* ---- The gate ------------------------------------------------------------------------------ */

static uint64_t state_of(int32_t users)
{
    return (uint64_t)(uint32_t)getpid() << 32 | (uint32_t)users;
}

static int32_t users_in(uint64_t state)
{
    return state >> 32 == (uint32_t)getpid() ? (int32_t)(uint32_t)state : 0;
}

int32_t cnni_gate_users(struct cnni_gate *gate)
{
    return users_in(atomic_load(&gate->state));
}

int32_t cnni_gate_enter_reading(struct cnni_gate *gate)
{
    uint64_t state = atomic_load(&gate->state);
    do
        if (users_in(state) < 0)
            return users_in(state);
    while (!atomic_compare_exchange_weak(&gate->state, &state, state_of(users_in(state) + 1)));
    return 0;
}

int32_t cnni_gate_enter_writing(struct cnni_gate *gate)
{
    uint64_t state = atomic_load(&gate->state);
    do
        if (users_in(state) != 0)
            return users_in(state);
    while (!atomic_compare_exchange_weak(&gate->state, &state, state_of(-1)));
    return 0;
}

void cnni_gate_leave(struct cnni_gate *gate)
{
    uint64_t state = atomic_load(&gate->state);
    int32_t users;
    do {
        users = users_in(state);
        users = users < 0 ? 0 : CNNI_MAX(users - 1, 0);
    } while (!atomic_compare_exchange_weak(&gate->state, &state, state_of(users)));
}
