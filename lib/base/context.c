/* SPDX-License-Identifier: MIT
 * The context: creation, its setters, and the references that other handles hold. */
#include "base/context_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/processors.h"
#include "base/utf8.h"

enum { MOST_THREADS = 256 };

static const struct {
    const char *name;
    int64_t value;
} limits[CNNI_LIMIT_COUNT] = {
    [CNN_LIMIT_IMAGE_SIDE] = {"image side", 32768},
    [CNN_LIMIT_IMAGE_PIXELS] = {"image pixels", INT64_C(64) << 20},
    [CNN_LIMIT_IMAGE_BYTES] = {"image bytes", INT64_C(64) << 20},
    [CNN_LIMIT_DECODER_BYTES] = {"decoder bytes", INT64_C(512) << 20},
    [CNN_LIMIT_JPEG_SCANS] = {"jpeg scans", 100},
    [CNN_LIMIT_HEADER_BYTES] = {"header bytes", INT64_C(16) << 20},
    [CNN_LIMIT_MODEL_BYTES] = {"model bytes", INT64_C(4) << 30},
    [CNN_LIMIT_TENSORS] = {"tensors", 65536},
    [CNN_LIMIT_LAYERS] = {"layers", 4096},
    [CNN_LIMIT_CLASSES] = {"classes", 100000},
    [CNN_LIMIT_SAMPLES] = {"samples", 10000000},
};

/* From two of them on, blocks are made of huge pages where the system has them: a pass over memory
 * then misses the TLB a few hundred times less. */
enum { HUGE_PAGE = 2 << 20 };

static void *default_allocate(void *user, size_t size, size_t alignment)
{
    (void)user;
    void *memory = NULL;
    const bool large = size >= 2 * HUGE_PAGE;
    if (posix_memalign(&memory, large ? HUGE_PAGE : alignment, size) != 0)
        return NULL;
#if defined(MADV_HUGEPAGE)
    if (large)
        (void)madvise(memory, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

static void default_release(void *user, void *memory, size_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

/* The level of that name, if this machine has it. */
static cnn_status find_level(cnni_cpu *level, cnn_context *context, const char *function,
                             const char *source, const char *name)
{
    char shown[CNNI_SHOW_SIZE];
    *level = cnni_cpu_find(name);
    if (*level < 0)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: %s is \"%s\", must be generic, avx2, avx512, neon or auto", function,
                         source, cnni_show_bytes(shown, sizeof shown, name, strlen(name)));
    if (!cnni_cpu_has(*level))
        return cnni_fail(context, CNN_ERROR_UNSUPPORTED,
                         "%s: %s is \"%s\", but the best level of this machine is %s", function,
                         source, name, cnni_cpu_name(cnni_cpu_best()));
    return CNN_OK;
}

static cnn_status create(cnn_context **context, const char *function, const char *level_name)
{
    cnni_cpu level;
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    *context = NULL;
    CNNI_TRY(find_level(&level, NULL, function, "CNN_CPU", level_name));
    cnn_context *made = calloc(1, sizeof *made);
    if (made == NULL || !cnni_lock_init(&made->lock)) {
        free(made);
        return cnni_fail(NULL, CNN_ERROR_MEMORY, "%s: no memory for a context", function);
    }
    atomic_init(&made->references, 1);
    atomic_init(&made->threads, CNNI_MIN(cnni_processors(), MOST_THREADS));
    made->cpu = level;
    made->allocate = default_allocate;
    made->release = default_release;
    for (int32_t i = 1; i < CNNI_LIMIT_COUNT; i++)
        atomic_init(&made->limits[i], limits[i].value);
    *context = made;
    return CNN_OK;
}

cnn_status cnn_context_create(cnn_context **context)
{
    const char *level = getenv("CNN_CPU");
    return create(context, __func__, level != NULL && level[0] != '\0' ? level : "auto");
}

cnn_status cnn_context_create_isolated(cnn_context **context)
{
    return create(context, __func__, "auto");
}

void cnni_context_share(cnn_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
}

void cnni_context_release(cnn_context *context)
{
    if (atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    cnni_pool_free(context, atomic_load(&context->pool));
    cnni_lock_destroy(&context->lock);
    free(context);
}

void cnn_context_free(cnn_context *context)
{
    if (context != NULL)
        cnni_context_release(context);
}

void cnni_context_next_stream(cnn_context *context, uint64_t *seed, uint64_t *stream)
{
    cnni_lock_take(&context->lock);
    *seed = context->seed;
    *stream = context->layers++;
    cnni_lock_give(&context->lock);
}

void cnni_note(cnn_context *context, cnn_log_level level, const char *format, ...)
{
    char text[CNNI_ERROR_SIZE];
    cnni_lock_take(&context->lock);
    cnn_log_fn log = context->log;
    void *user = context->log_user;
    cnni_lock_give(&context->lock);
    if (log == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cnni_utf8_trim(text);
    log(user, level, text);
}

cnn_status cnni_check_limit(cnn_context *context, cnn_limit limit, int64_t value,
                            const char *function, const char *what)
{
    int64_t most = cnn_context_limit(context, limit);
    if (value <= most)
        return CNN_OK;
    return cnni_fail(context, CNN_ERROR_LIMIT, "%s: %s is %lld, more than the limit \"%s\" of %lld",
                     function, what, (long long)value, cnn_limit_name(limit), (long long)most);
}

void cnn_context_error(const cnn_context *context, char *buffer, size_t size)
{
    if (buffer == NULL || size == 0)
        return;
    buffer[0] = '\0';
    if (context == NULL)
        return;
    struct cnni_lock *lock = (struct cnni_lock *)&context->lock;
    cnni_lock_take(lock);
    snprintf(buffer, size, "%s", context->error);
    cnni_utf8_trim(buffer);
    cnni_lock_give(lock);
}

/* Set-up that handles and threads depend on is closed while there are any. */
static cnn_status check_unused(cnn_context *context, const char *function)
{
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    if (atomic_load(&context->references) > 1 || atomic_load(&context->pool) != NULL)
        return cnni_fail(context, CNN_ERROR_STATE,
                         "%s: another handle of this context exists, or its threads have started",
                         function);
    return CNN_OK;
}

cnn_status cnn_context_set_threads(cnn_context *context, int32_t threads)
{
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (threads < 1 || threads > MOST_THREADS)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: threads is %d, must be 1 to %d", __func__,
                         threads, MOST_THREADS);
    atomic_store(&context->threads, threads);
    return CNN_OK;
}

int32_t cnn_context_threads(const cnn_context *context)
{
    return context == NULL ? 0 : atomic_load(&context->threads);
}

cnn_status cnn_context_set_parallel_for(cnn_context *context, cnn_parallel_for_fn parallel_for,
                                        void *user)
{
    CNNI_TRY(check_unused(context, __func__));
    context->parallel_for = parallel_for;
    context->parallel_user = user;
    return CNN_OK;
}

cnn_status cnn_context_set_cpu(cnn_context *context, const char *name)
{
    cnni_cpu level;
    CNNI_TRY(check_unused(context, __func__));
    if (name == NULL)
        return cnni_fail_null(context, __func__, "name");
    CNNI_TRY(find_level(&level, context, __func__, "name", name));
    context->cpu = level;
    return CNN_OK;
}

const char *cnn_context_cpu_name(const cnn_context *context)
{
    return context == NULL ? "" : cnni_cpu_name(context->cpu);
}

cnn_status cnn_context_set_seed(cnn_context *context, uint64_t seed)
{
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    cnni_lock_take(&context->lock);
    context->seed = seed;
    context->layers = 0;
    cnni_lock_give(&context->lock);
    return CNN_OK;
}

cnn_status cnn_context_set_allocator(cnn_context *context, cnn_allocate_fn allocate,
                                     cnn_release_fn release, void *user)
{
    CNNI_TRY(check_unused(context, __func__));
    if (allocate == NULL)
        return cnni_fail_null(context, __func__, "allocate");
    if (release == NULL)
        return cnni_fail_null(context, __func__, "release");
    context->allocate = allocate;
    context->release = release;
    context->allocator_user = user;
    return CNN_OK;
}

const char *cnn_log_level_name(cnn_log_level level)
{
    static const char *const names[] = {[CNN_LOG_WARNING] = "warning", [CNN_LOG_INFO] = "info"};
    return level >= 1 && level < CNNI_COUNT(names) ? names[level] : "unknown level";
}

cnn_status cnn_context_set_log(cnn_context *context, cnn_log_fn log, void *user)
{
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    cnni_lock_take(&context->lock);
    context->log = log;
    context->log_user = user;
    cnni_lock_give(&context->lock);
    return CNN_OK;
}

cnn_status cnn_context_set_lenient(cnn_context *context, int32_t lenient)
{
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (lenient != 0 && lenient != 1)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: lenient is %d, must be 0 or 1", __func__,
                         lenient);
    atomic_store(&context->lenient, lenient == 1);
    return CNN_OK;
}

static bool is_limit(cnn_limit limit)
{
    return limit >= 1 && limit < CNNI_LIMIT_COUNT;
}

const char *cnn_limit_name(cnn_limit limit)
{
    return is_limit(limit) ? limits[limit].name : "unknown limit";
}

cnn_status cnn_context_set_limit(cnn_context *context, cnn_limit limit, int64_t value)
{
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (!is_limit(limit))
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: limit is %d, must be one of CNN_LIMIT_...", __func__, limit);
    if (value < 1)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: value for \"%s\" is %lld, must be at least 1", __func__,
                         cnn_limit_name(limit), (long long)value);
    atomic_store(&context->limits[limit], value);
    return CNN_OK;
}

int64_t cnn_context_limit(const cnn_context *context, cnn_limit limit)
{
    return context != NULL && is_limit(limit) ? atomic_load(&context->limits[limit]) : 0;
}
