/* SPDX-License-Identifier: MIT
 * Who prepares which sample when.  An epoch is a row of positions, cut into batches; a few batches
 * at a time have a slot to be prepared in.  Threads take single positions in order, so that all of
 * them work on the batch that is wanted first, and whoever waits for a batch takes positions of it
 * as well: without threads that does all the work.  What a position is, and where its sample goes,
 * only the callback knows. */
#ifndef CNNI_LOADER_QUEUE_H
#define CNNI_LOADER_QUEUE_H

#include <pthread.h>
#include <sys/types.h>

#include "base/base.h"

enum { CNNI_QUEUE_SLOTS = 4, CNNI_QUEUE_THREADS = 64 };

/* Prepares the sample at `position`.  Positions in different slots or rows run at the same time. */
typedef void cnni_queue_fn(void *user, int64_t position);

/* An epoch. */
struct cnni_queue_plan {
    int64_t count; /* positions */
    int64_t batch; /* positions of one batch; the last may be smaller */
    int64_t first; /* batch to begin with */
    int32_t slots; /* batch b is prepared in slot b % slots */
};

struct cnni_queue {
    cnni_queue_fn *make;
    void *user;
    pid_t process; /* in which the threads and the lock are alive */
    int32_t threads;
    pthread_t thread[CNNI_QUEUE_THREADS];

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* there are positions to take, or it is time to stop */
    pthread_cond_t done;  /* a batch is ready, or nobody is at work */
    struct cnni_queue_plan plan;
    int64_t next;                     /* first position that nobody has taken */
    int64_t released;                 /* batches given back: their slots are free again */
    int64_t undone[CNNI_QUEUE_SLOTS]; /* positions of each slot's batch that are not finished */
    int32_t active;                   /* positions that are being prepared */
    bool stop;
};

/* False when the system has no locks for it. */
bool cnni_queue_init(struct cnni_queue *queue, cnni_queue_fn *make, void *user);

/* Ends and joins the threads, each after the position it is at. */
void cnni_queue_join(struct cnni_queue *queue);

/* Joins the threads and undoes the rest of cnni_queue_init(). */
void cnni_queue_destroy(struct cnni_queue *queue);

/* Makes the queue usable in a child after fork(), where its threads are not there and its lock is
 * as it happened to be: work goes on, on the caller's thread, with batch `next_batch`.  Elsewhere
 * does nothing.  First of all calls on a handle. */
void cnni_queue_survive_fork(struct cnni_queue *queue, int64_t next_batch);

/* Begins an epoch with `threads` threads; false when the system granted fewer, which then do. */
bool cnni_queue_begin(struct cnni_queue *queue, const struct cnni_queue_plan *plan,
                      int32_t threads);

/* Drops what has not been prepared; afterwards nobody is at work until the next epoch begins. */
void cnni_queue_drop(struct cnni_queue *queue);

/* Returns when batch `index` is ready, helping with it; the seconds that this took, if there are
 * threads that could have done it before. */
double cnni_queue_wait(struct cnni_queue *queue, int64_t index);

/* Gives the oldest batch back, whose slot becomes that of a later batch. */
void cnni_queue_release(struct cnni_queue *queue);

#endif
