/* SPDX-License-Identifier: MIT
 * The thread pool.  A context has one; it starts threads when work first asks for them, and they
 * sleep between jobs.  One job runs at a time: a caller that finds the pool busy (another thread of
 * the host, or an item that itself has parallel work) runs its items alone.  In a child after
 * fork(), where no thread but the caller exists, the pool is made anew. */
#include "base/parallel.h"

#include <fenv.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"

/* One call of cnni_parallel(). */
struct job {
    cnni_item_fn *run;
    void *task;
    int64_t items;
    _Atomic int64_t next; /* first item that nobody has taken */
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
    struct worker *worker; /* room for every thread that a context may have */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t start, finish;
    struct job *job;
    int32_t lanes;   /* workers of a lower lane take part */
    int32_t running; /* workers that have not finished the job */
    uint64_t round;  /* counts jobs */
    bool stop;
};

enum { MOST_WORKERS = 255 };

static void run_items(struct job *job, int32_t lane)
{
    for (;;) {
        int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (item >= job->items)
            return;
        job->run(job->task, item, lane);
    }
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

/* ---- Workers ---- */

static void work(void *user)
{
    const struct worker *worker = user;
    struct cnni_pool *pool = worker->pool;
    uint64_t round = 0;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        if (pool->round == round || pool->job == NULL || worker->lane >= pool->lanes) {
            pthread_cond_wait(&pool->start, &pool->lock);
            continue;
        }
        struct job *job = pool->job;
        round = pool->round;
        pthread_mutex_unlock(&pool->lock);
        run_items(job, worker->lane);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0)
            pthread_cond_signal(&pool->finish);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* NULL without memory for it: the work is then done by the caller alone, which is no failure to
 * report. */
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
    if (status != CNN_OK) {
        cnni_free(context, pool);
        return NULL;
    }
    pool->process = getpid();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->finish, NULL);
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
    pool->round++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    run_items(job, 0);
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

void cnni_parallel(cnn_context *context, int32_t lanes, int64_t items, cnni_item_fn *run,
                   void *task)
{
    struct job job = {.run = run, .task = task, .items = items};
    int32_t wanted = CNNI_MIN(lanes, cnni_lanes(context));
    wanted = (int32_t)CNNI_MIN(wanted, items);
    if (wanted > 1 && context->parallel_for != NULL) {
        context->parallel_for(context->parallel_user, wanted, run_lane, &job);
        return;
    }
    struct cnni_pool *pool = wanted > 1 ? pool_of(context) : NULL;
    if (pool == NULL || atomic_exchange(&pool->busy, true)) {
        run_items(&job, 0);
        return;
    }
    hire(context, pool, wanted - 1);
    wanted = CNNI_MIN(wanted, pool->workers + 1);
    if (wanted > 1)
        run_on_pool(pool, &job, wanted);
    else
        run_items(&job, 0);
    atomic_store(&pool->busy, false);
}
