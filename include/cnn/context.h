/* SPDX-License-Identifier: MIT
 * Everything that would otherwise be global: threads, instruction set, allocator, log,
 * seed, limits. */
#ifndef CNN_CONTEXT_H
#define CNN_CONTEXT_H

#include "cnn/export.h"
#include "cnn/status.h"

CNN_BEGIN_DECLS

/* A context.  Every other handle is made from one and keeps it alive.  All functions here may be
 * called concurrently, except where a setter says that it must come first. */
typedef struct cnn_context cnn_context;

/* Creates a context with the defaults given at the setters below.  It starts no thread until the
 * first parallel work.  The environment variable CNN_CPU (generic, avx2, avx512, neon or auto) can
 * lower the instruction set.
 * CNN_ERROR_INVALID: CNN_CPU names no level.  CNN_ERROR_UNSUPPORTED: it names a level that this
 * machine or build does not have. */
CNN_API cnn_status cnn_context_create(cnn_context **context);

/* As cnn_context_create(), but reads no environment variable. */
CNN_API cnn_status cnn_context_create_isolated(cnn_context **context);

/* Gives up the caller's reference.  The context goes, and joins its threads, when the last handle
 * made from it is freed. */
CNN_API void cnn_context_free(cnn_context *context);

/* Copies the text of the newest failure of any handle of this context, on whatever thread it
 * happened, into `buffer` of `size` bytes, cut between characters if need be and always ended by a
 * zero byte.  For hosts whose tasks change threads between a call and the question. */
CNN_API void cnn_context_error(const cnn_context *context, char *buffer, size_t size);

/* The number of threads that share the work of one call, the calling one included.  Default: the
 * processors that this process may use, by its affinity and by the quota of its control group (a
 * container's).  1 never starts a thread; the most is 256.  (The background
 * threads of a loader come on top: cnn_loader_set_threads().)  Results are the same bits for every
 * number.  Takes effect at the next call that has parallel work; sessions
 * and trainers use at most as many as there were when they were created. */
CNN_API cnn_status cnn_context_set_threads(cnn_context *context, int32_t threads);
CNN_API int32_t cnn_context_threads(const cnn_context *context);

/* One piece of parallel work, handed to the host's `parallel_for`. */
typedef void (*cnn_task_fn)(void *task, int64_t index);

/* Runs `run(task, i)` once for each i in 0 .. count - 1, in any order and on any threads, and
 * returns when all have finished: for (i = 0; i < count; i++) run(task, i); */
typedef void (*cnn_parallel_for_fn)(void *user, int64_t count, cnn_task_fn run, void *task);

/* Lets the host's own threads do the parallel work: `parallel_for` is called in place of the
 * context's threads, which are never started.  NULL returns to the default.  `user` is borrowed
 * until the context is gone.
 * CNN_ERROR_STATE: another handle of this context exists, or has had parallel work. */
CNN_API cnn_status cnn_context_set_parallel_for(cnn_context *context,
                                                cnn_parallel_for_fn parallel_for, void *user);

/* Chooses the kernels by name: "generic", "avx2", "avx512", "neon", or "auto" for the best that
 * this machine has (the default, unless CNN_CPU lowered it).
 * CNN_ERROR_UNSUPPORTED: this machine or build does not have that level.  CNN_ERROR_STATE: another
 * handle of this context exists, or its threads have started. */
CNN_API cnn_status cnn_context_set_cpu(cnn_context *context, const char *name);

/* The level whose kernels run, "avx2".  Borrowed for ever. */
CNN_API const char *cnn_context_cpu_name(const cnn_context *context);

/* The seed of initial weights and of dropout.  Default 0.  Layers created later draw from it by
 * their number of creation since this call, so that equal programs get equal weights. */
CNN_API cnn_status cnn_context_set_seed(cnn_context *context, uint64_t seed);

/* Returns `size` bytes aligned to `alignment` (a power of two, at most 4096), or NULL. */
typedef void *(*cnn_allocate_fn)(void *user, size_t size, size_t alignment);

/* Takes back what the allocate function returned for `size`.  Never called with NULL. */
typedef void (*cnn_release_fn)(void *user, void *memory, size_t size);

/* Takes all memory of this context's handles from the host.  Both functions may be called on any
 * thread.  The memory that libjpeg and libpng allocate for themselves is not included.  `user` is
 * borrowed until the context is gone.
 * CNN_ERROR_STATE: another handle of this context exists, or has had parallel work. */
CNN_API cnn_status cnn_context_set_allocator(cnn_context *context, cnn_allocate_fn allocate,
                                             cnn_release_fn release, void *user);

/* How much a log line matters. */
typedef int32_t cnn_log_level;

enum { CNN_LOG_WARNING = 1, CNN_LOG_INFO = 2 };

/* The name of `level`, "warning"; "unknown level" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_log_level_name(cnn_log_level level);

/* Receives one line of UTF-8 without a line break, borrowed for the call.  Called only on a thread
 * that is inside a call of the library. */
typedef void (*cnn_log_fn)(void *user, cnn_log_level level, const char *text);

/* Sends notes that are no failures (a picture that was skipped, threads that could not be started)
 * to `log`.  Default NULL: nowhere.  `user` is borrowed until the context is gone, or until this
 * function was called again and every call of the library that had begun by then, on whatever
 * thread, has returned: such a call may still send its line. */
CNN_API cnn_status cnn_context_set_log(cnn_context *context, cnn_log_fn log, void *user);

/* Whether a JPEG of which parts are missing or damaged, a download that was cut short for one, is
 * an error (0, default) or is decoded as far as it can be (1): what is missing is gray or repeats
 * its surroundings, and a line in the log says so.  Holds for pictures decoded later.
 * CNN_ERROR_INVALID: `lenient` is neither. */
CNN_API cnn_status cnn_context_set_lenient(cnn_context *context, int32_t lenient);

/* What a file or picture may ask for at most. */
typedef int32_t cnn_limit;

enum {
    CNN_LIMIT_IMAGE_SIDE = 1,    /* width or height in pixels; default 32768 */
    CNN_LIMIT_IMAGE_PIXELS = 2,  /* width * height; default 67108864 (64 Mi) */
    CNN_LIMIT_IMAGE_BYTES = 3,   /* bytes of an encoded picture; default 67108864 (64 MiB) */
    CNN_LIMIT_DECODER_BYTES = 4, /* memory of one decoder; default 536870912 (512 MiB) */
    CNN_LIMIT_JPEG_SCANS = 5,    /* scans of a progressive JPEG; default 100 */
    CNN_LIMIT_HEADER_BYTES = 6,  /* header of a model file; default 16777216 (16 MiB) */
    CNN_LIMIT_MODEL_BYTES = 7,   /* a whole model file; default 4294967296 (4 GiB) */
    CNN_LIMIT_TENSORS = 8,       /* tensors in a model file; default 65536 */
    CNN_LIMIT_LAYERS = 9,        /* layers of a model; default 4096 */
    CNN_LIMIT_CLASSES = 10,      /* classes of a dataset or model; default 100000 */
    CNN_LIMIT_SAMPLES = 11       /* samples of a dataset; default 10000000 */
};

/* The name of `limit`, "image side"; "unknown limit" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_limit_name(cnn_limit limit);

/* Sets one limit to `value`, at least 1; it holds for later calls. */
CNN_API cnn_status cnn_context_set_limit(cnn_context *context, cnn_limit limit, int64_t value);

/* The value of one limit; 0 for a number that is no limit. */
CNN_API int64_t cnn_context_limit(const cnn_context *context, cnn_limit limit);

CNN_END_DECLS

#endif
