/* SPDX-License-Identifier: MIT
 * What a context holds. */
#ifndef CNNI_CONTEXT_H
#define CNNI_CONTEXT_H

#include <stdatomic.h>

#include "base/cpu.h"
#include "base/lock.h"
#include "base/parallel.h"
#include "cnn/context.h"

enum { CNNI_ERROR_SIZE = 1024, CNNI_LIMIT_COUNT = 12 };

struct cnn_context {
    atomic_int references;

    cnni_cpu cpu;

    cnn_allocate_fn allocate;
    cnn_release_fn release;
    void *allocator_user;

    atomic_int threads;
    atomic_bool lenient;              /* about damaged JPEGs */
    cnn_parallel_for_fn parallel_for; /* the host's, or NULL */
    void *parallel_user;
    _Atomic(struct cnni_pool *) pool; /* started by the first parallel work */

    struct cnni_lock lock; /* guards all below */
    cnn_log_fn log;
    void *log_user;
    uint64_t seed;
    uint64_t layers; /* created since the seed was set */
    _Atomic int64_t limits[CNNI_LIMIT_COUNT];
    char error[CNNI_ERROR_SIZE];
};

/* Another reference, for a new handle made from the context, and the end of one. */
void cnni_context_share(cnn_context *context);
void cnni_context_release(cnn_context *context);

/* Takes the next stream of random numbers for a layer's initial weights and dropout. */
void cnni_context_next_stream(cnn_context *context, uint64_t *seed, uint64_t *stream);

/* Sends one line to the log callback, if there is one.  Only on a thread inside a public call. */
__attribute__((format(printf, 3, 4))) void cnni_note(cnn_context *context, cnn_log_level level,
                                                     const char *format, ...);

/* CNN_ERROR_LIMIT, with a text, when `value` is more than the context allows; `what` names the
 * thing. */
cnn_status cnni_check_limit(cnn_context *context, cnn_limit limit, int64_t value,
                            const char *function, const char *what);

#endif
