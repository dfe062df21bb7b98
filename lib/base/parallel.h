/* SPDX-License-Identifier: MIT
 * Work on several threads.  Work is a flat list of items, cut by the shape of the problem alone, so
 * that the number of threads cannot change a result. */
#ifndef CNNI_PARALLEL_H
#define CNNI_PARALLEL_H

#include <pthread.h>

#include "base/base.h"
#include "cnn/context.h"

struct cnni_pool;

/* One item.  `lane` is a number below the `lanes` given to cnni_parallel() that no other item has
 * at the same time: it picks the item's scratch memory. */
typedef void cnni_item_fn(void *task, int64_t item, int32_t lane);

/* for (item = 0; item < items; item++) run(task, item, 0);
 * on up to `lanes` of the context's threads, the calling one included; returns when all are
 * done. */
void cnni_parallel(cnn_context *context, int32_t lanes, int64_t items, cnni_item_fn *run,
                   void *task);

/* Allocates now, where that is possible, what cnni_parallel() will need; starts no thread. */
void cnni_parallel_prepare(cnn_context *context);

/* The most lanes that work planned now can use: the context's number of threads. */
int32_t cnni_lanes(const cnn_context *context);

/* Joins the threads of a pool and frees it; NULL does nothing. */
void cnni_pool_free(cnn_context *context, struct cnni_pool *pool);

/* A thread that blocks all signals and has the default floating-point environment.  False when the
 * system refuses.  For background work that is not a list of items (the loader). */
typedef void cnni_thread_fn(void *user);
bool cnni_thread_start(pthread_t *thread, cnni_thread_fn *run, void *user);

/* The host's floating-point environment is put away while a public call computes, and put back. */
struct cnni_float_state {
    uint64_t words[8];
};
void cnni_float_enter(struct cnni_float_state *host);
void cnni_float_leave(const struct cnni_float_state *host);

#endif
