/* SPDX-License-Identifier: MIT
 * The thread pool.  A context has one; it starts threads when work first asks for them; between
 * jobs they look on for a moment, then sleep.  One job runs at a time: a caller that finds the pool
 * busy (another thread of the host, or an item that itself has parallel work) runs its items alone.
 * In a child after fork(), where no thread but the caller exists, the pool is made anew. */
#include "base/parallel.h"

#include <fenv.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/processors.h"

enum { MOST_WORKERS = 255 };

/* One call of cnni_parallel().  Each lane has its share, neighbouring items, and helps the others
 * when that is done.  So a lane meets in every layer the samples that it made in the one before,
 * which are still in its caches. */
struct job {
    cnni_item_fn *run;
    void *task;
    int64_t items;
    int32_t lanes;
    _Atomic int64_t next[MOST_WORKERS + 1]; /* [lane]: the first of its items nobody has taken */
};

struct worker {
    struct cnni_pool *pool;
    pthread_t thread;
    int32_t lane;
};

struct cnni_pool {
    pid_t process;
    atomic_bool busy; /* held by the caller of the running job, who alone changes `workers` */
    int32_t workers;
    bool complained;
    int32_t processors;
    struct worker *worker; /* room for every thread that a context may have */

    pthread_mutex_t lock; /* guards all below, but for looking at the counts */
    pthread_cond_t start, finish;
    struct job *job;
    int32_t lanes;         /* workers of a lower lane take part */
    int32_t running;       /* workers that have not finished the job */
    _Atomic uint64_t jobs; /* how many have begun */
    _Atomic uint64_t done; /* how many have ended, those workers' parts that is */
    bool stop;
};

/* The first item of a lane's share; of the number of lanes, the end. */
static int64_t first_item(const struct job *job, int32_t lane)
{
    return lane * (job->items / job->lanes) + CNNI_MIN(lane, job->items % job->lanes);
}

static void share_out(struct job *job, int32_t lanes)
{
    job->lanes = lanes;
    for (int32_t lane = 0; lane < lanes; lane++)
        atomic_init(&job->next[lane], first_item(job, lane));
}

static void run_share(struct job *job, int32_t share, int32_t lane)
{
    const int64_t end = first_item(job, share + 1);
    for (;;) {
        int64_t item = atomic_fetch_add_explicit(&job->next[share], 1, memory_order_relaxed);
        if (item >= end)
            return;
        job->run(job->task, item, lane);
    }
}

static void run_items(struct job *job, int32_t lane)
{
    for (int32_t i = 0; i < job->lanes; i++)
        run_share(job, (lane + i) % job->lanes, lane);
}

/* ---- Floating-point environment and threads ---- */

_Static_assert(sizeof(fenv_t) <= sizeof(struct cnni_float_state), "room for the environment");

void cnni_float_enter(struct cnni_float_state *host)
{
    fenv_t environment;
    fegetenv(&environment);
    memcpy(host->words, &environment, sizeof environment);
    fesetenv(FE_DFL_ENV);
}

void cnni_float_leave(const struct cnni_float_state *host)
{
    fenv_t environment;
    memcpy(&environment, host->words, sizeof environment);
    fesetenv(&environment);
}

struct thread_start {
    cnni_thread_fn *run;
    void *user;
    pthread_mutex_t lock;
    pthread_cond_t taken;
    bool started;
};

static void *thread_main(void *argument)
{
    struct thread_start *start = argument;
    cnni_thread_fn *run = start->run;
    void *user = start->user;
    pthread_mutex_lock(&start->lock);
    start->started = true;
    pthread_cond_signal(&start->taken);
    pthread_mutex_unlock(&start->lock);
    fesetenv(FE_DFL_ENV);
    run(user);
    return NULL;
}

/* `start` lives on the starter's stack, so that starting allocates nothing; it waits until it was
 * read. */
bool cnni_thread_start(pthread_t *thread, cnni_thread_fn *run, void *user)
{
    struct thread_start start = {run, user, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                                 false};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = pthread_create(thread, NULL, thread_main, &start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&start.lock);
    while (good && !start.started)
        pthread_cond_wait(&start.taken, &start.lock);
    pthread_mutex_unlock(&start.lock);
    pthread_cond_destroy(&start.taken);
    pthread_mutex_destroy(&start.lock);
    return good;
}

/* ---- Looking on ---- */

/* To wake a thread takes some 50 us, in which a small network does a tenth of a step: who waits
 * looks on for about as long before it sleeps. */
enum { PATIENCE_NANOSECONDS = 50000, LOOKS_PER_TIME = 16 };

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Returns when `count` is no longer `old`, or when it has been that for too long.  Where the lanes
 * of a job share processors, looking on would keep others from their work. */
static void look_on(const struct cnni_pool *pool, int32_t lanes, const _Atomic uint64_t *count,
                    uint64_t old)
{
    if (lanes > pool->processors)
        return;
    const int64_t end = cnni_nanoseconds() + PATIENCE_NANOSECONDS;
    do
        for (int32_t i = 0; i < LOOKS_PER_TIME; i++) {
            if (atomic_load_explicit(count, memory_order_acquire) != old)
                return;
            relax();
        }
    while (cnni_nanoseconds() < end);
}

/* ---- Workers ---- */

/* A job that this worker has not seen and takes part in, or NULL. */
static struct job *new_job(const struct worker *worker, uint64_t seen)
{
    const struct cnni_pool *pool = worker->pool;
    return pool->jobs != seen && worker->lane < pool->lanes ? pool->job : NULL;
}

static void work(void *user)
{
    const struct worker *worker = user;
    struct cnni_pool *pool = worker->pool;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        struct job *job = new_job(worker, seen);
        if (job == NULL) {
            pthread_cond_wait(&pool->start, &pool->lock);
            continue;
        }
        seen = pool->jobs;
        const int32_t lanes = pool->lanes;
        pthread_mutex_unlock(&pool->lock);
        run_items(job, worker->lane);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0) {
            pool->done = seen;
            pthread_cond_signal(&pool->finish);
        }
        pthread_mutex_unlock(&pool->lock);
        look_on(pool, lanes, &pool->jobs, seen);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* NULL where the system has no memory or locks for it: the work is then done by the caller alone,
 * which is no failure to report. */
static struct cnni_pool *pool_create(cnn_context *context)
{
    struct cnni_pool *pool;
    char problem[CNNI_ERROR_SIZE];
    cnni_error_capture(problem);
    cnn_status status = cnni_alloc_zero(&pool, context, 1, sizeof *pool, __func__);
    if (status == CNN_OK)
        status =
            cnni_alloc_zero(&pool->worker, context, MOST_WORKERS, sizeof *pool->worker, __func__);
    cnni_error_capture(NULL);
    if (status != CNN_OK || !cnni_lock_init_waiting(&pool->lock, &pool->start, &pool->finish)) {
        if (pool != NULL)
            cnni_free(context, pool->worker);
        cnni_free(context, pool);
        return NULL;
    }
    pool->process = getpid();
    pool->processors = cnni_processors();
    return pool;
}

void cnni_pool_free(cnn_context *context, struct cnni_pool *pool)
{
    if (pool == NULL)
        return;
    if (pool->process == getpid()) {
        pthread_mutex_lock(&pool->lock);
        pool->stop = true;
        pthread_cond_broadcast(&pool->start);
        pthread_mutex_unlock(&pool->lock);
        for (int32_t i = 0; i < pool->workers; i++)
            pthread_join(pool->worker[i].thread, NULL);
        pthread_cond_destroy(&pool->finish);
        pthread_cond_destroy(&pool->start);
        pthread_mutex_destroy(&pool->lock);
    }
    cnni_free(context, pool->worker);
    cnni_free(context, pool);
}

/* The pool of this process.  One that came through a fork is left where it is: its locks and
 * threads belong to the parent's state at that moment and can be neither used nor undone. */
static struct cnni_pool *pool_of(cnn_context *context)
{
    struct cnni_pool *pool = atomic_load(&context->pool);
    if (pool != NULL && pool->process == getpid())
        return pool;
    struct cnni_pool *fresh = pool_create(context);
    if (fresh == NULL || atomic_compare_exchange_strong(&context->pool, &pool, fresh))
        return fresh;
    cnni_pool_free(context, fresh);
    return pool;
}

/* Starts threads until there are `wanted`; the system may grant fewer. */
static void hire(cnn_context *context, struct cnni_pool *pool, int32_t wanted)
{
    while (pool->workers < CNNI_MIN(wanted, MOST_WORKERS)) {
        struct worker *worker = &pool->worker[pool->workers];
        worker->pool = pool;
        worker->lane = pool->workers + 1;
        if (!cnni_thread_start(&worker->thread, work, worker)) {
            if (!pool->complained)
                cnni_note(context, CNN_LOG_WARNING,
                          "the system refuses to start more than %d threads", pool->workers + 1);
            pool->complained = true;
            return;
        }
        pool->workers++;
    }
}

static void run_on_pool(struct cnni_pool *pool, struct job *job, int32_t lanes)
{
    pthread_mutex_lock(&pool->lock);
    pool->job = job;
    pool->lanes = lanes;
    pool->running = lanes - 1;
    const uint64_t before = pool->jobs++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    run_items(job, 0);
    look_on(pool, lanes, &pool->done, before);
    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0)
        pthread_cond_wait(&pool->finish, &pool->lock);
    pool->job = NULL;
    pthread_mutex_unlock(&pool->lock);
}

/* ---- The host's threads ---- */

static void run_lane(void *task, int64_t lane)
{
    struct cnni_float_state host;
    cnni_float_enter(&host);
    run_items(task, (int32_t)lane);
    cnni_float_leave(&host);
}

/* ---- The call ---- */

int32_t cnni_lanes(const cnn_context *context)
{
    return atomic_load(&context->threads);
}

void cnni_parallel_prepare(cnn_context *context)
{
    if (cnni_lanes(context) > 1 && context->parallel_for == NULL)
        (void)pool_of(context);
}

void cnni_parallel(cnn_context *context, int32_t lanes, int64_t items, cnni_item_fn *run,
                   void *task)
{
    struct job job;
    int32_t wanted = CNNI_MIN(lanes, cnni_lanes(context));
    wanted = (int32_t)CNNI_MAX(CNNI_MIN(wanted, items), 1);
    job.run = run;
    job.task = task;
    job.items = items;
    if (wanted > 1 && context->parallel_for != NULL) {
        share_out(&job, wanted);
        context->parallel_for(context->parallel_user, wanted, run_lane, &job);
        return;
    }
    struct cnni_pool *pool = wanted > 1 ? pool_of(context) : NULL;
    const bool ours = pool != NULL && !atomic_exchange(&pool->busy, true);
    if (ours)
        hire(context, pool, wanted - 1);
    wanted = ours ? CNNI_MIN(wanted, pool->workers + 1) : 1;
    share_out(&job, wanted);
    if (wanted > 1)
        run_on_pool(pool, &job, wanted);
    else
        run_items(&job, 0);
    if (ours)
        atomic_store(&pool->busy, false);
}
