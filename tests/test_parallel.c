/* SPDX-License-Identifier: MIT
 * The thread pool: every item exactly once, lanes that are never shared at a time, callers that
 * find it busy, the host's own threads, fork, signals, the floating-point environment, refused
 * threads. */
#include <dirent.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/context_internal.h"
#include "support/suite.h"

enum { MOST_ITEMS = 1000, MOST_LANES = 256 };

static cnn_context *context;

static void *do_nothing(void *argument)
{
    return argument;
}

/* Sanitizers start a thread of their own along with the first: before any test counts. */
static void set_up(void)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(cnn_context_create_isolated(&context), CNN_OK);
}

static void tear_down(void)
{
    cnn_context_free(context);
}

static void set_threads(int32_t threads)
{
    ck_assert_int_eq(cnn_context_set_threads(context, threads), CNN_OK);
}

/* The threads of this process. */
static int32_t count_threads(void)
{
    int32_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* Whether the process comes down to `count` threads: the system may show one that has been joined
 * for another moment. */
static bool are_left(int32_t count)
{
    for (int32_t i = 0; i < 1000 && count_threads() > count; i++)
        usleep(1000);
    return count_threads() == count;
}

/* What items record; threads other than the test's own count breaches instead of asserting. */
struct record {
    atomic_int times[MOST_ITEMS];
    atomic_int taken[MOST_LANES];
    atomic_int breaches;
    int32_t lanes;
};

static void note_item(void *task, int64_t item, int32_t lane)
{
    struct record *record = task;
    bool good = lane >= 0 && lane < record->lanes;
    if (good && atomic_exchange(&record->taken[lane], 1) != 0)
        good = false;
    atomic_fetch_add(&record->times[item], 1);
    if (item % 16 == 0)
        sched_yield();
    if (!good)
        atomic_fetch_add(&record->breaches, 1);
    else
        atomic_store(&record->taken[lane], 0);
}

/* Runs `items` items on `lanes` lanes; true when each ran once and no lane was shared. */
static bool run_recorded(struct record *record, int32_t lanes, int64_t items)
{
    memset(record, 0, sizeof *record);
    record->lanes = lanes;
    cnni_parallel(context, lanes, items, note_item, record);
    bool good = atomic_load(&record->breaches) == 0;
    for (int64_t i = 0; i < MOST_ITEMS; i++)
        good = good && atomic_load(&record->times[i]) == (i < items);
    return good;
}

static bool run_well(int32_t lanes, int64_t items)
{
    struct record *record = malloc(sizeof *record);
    bool good = run_recorded(record, lanes, items);
    free(record);
    return good;
}

START_TEST(each_item_runs_once)
{
    static const int32_t threads[] = {1, 2, 3, 7};
    static const int64_t items[] = {0, 1, 2, 3, 7, 8, 100, MOST_ITEMS};
    for (int32_t i = 0; i < CNNI_COUNT(threads); i++) {
        set_threads(threads[i]);
        ck_assert_int_eq(cnni_lanes(context), threads[i]);
        for (int32_t j = 0; j < CNNI_COUNT(items); j++)
            for (int32_t lanes = 1; lanes <= 8; lanes++)
                ck_assert_msg(run_well(lanes, items[j]), "%d threads, %d lanes, %d items",
                              threads[i], lanes, (int)items[j]);
    }
}
END_TEST

START_TEST(the_number_of_threads_may_change_between_calls)
{
    for (int32_t i = 0; i < 300; i++) {
        set_threads(1 + i * 5 % 7);
        ck_assert(run_well(MOST_LANES, 20));
    }
}
END_TEST

/* Every item waits until all are running: needs as many threads as items. */
static void meet(void *task, int64_t item, int32_t lane)
{
    (void)item, (void)lane;
    pthread_barrier_wait(task);
}

START_TEST(items_run_at_the_same_time)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 4);
    set_threads(4);
    cnni_parallel(context, 4, 4, meet, &barrier);
    pthread_barrier_destroy(&barrier);
}
END_TEST

START_TEST(one_thread_starts_none)
{
    int32_t before = count_threads();
    set_threads(1);
    ck_assert(run_well(8, 100));
    ck_assert_int_eq(count_threads(), before);
}
END_TEST

START_TEST(freeing_the_context_joins_the_threads)
{
    cnn_context *own = context;
    int32_t before = count_threads();
    set_threads(5);
    ck_assert(run_well(5, 100));
    ck_assert_int_ge(count_threads(), before + 1);
    cnn_context_free(own);
    ck_assert(are_left(before));
    set_up();
}
END_TEST

static void nest(void *task, int64_t item, int32_t lane)
{
    (void)item, (void)lane;
    if (!run_well(7, 50))
        atomic_fetch_add((atomic_int *)task, 1);
}

START_TEST(items_may_have_parallel_work)
{
    atomic_int breaches = 0;
    set_threads(3);
    cnni_parallel(context, 3, 20, nest, &breaches);
    ck_assert_int_eq(breaches, 0);
}
END_TEST

static void *call_often(void *breaches)
{
    for (int32_t i = 0; i < 300; i++)
        if (!run_well(3, 40))
            atomic_fetch_add((atomic_int *)breaches, 1);
    return NULL;
}

START_TEST(callers_may_find_the_pool_busy)
{
    pthread_t threads[3];
    atomic_int breaches = 0;
    set_threads(3);
    for (int32_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, &breaches), 0);
    for (int32_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(breaches, 0);
}
END_TEST

/* ---- The host's threads ---- */

struct host {
    atomic_int calls;
    int64_t most;
};

struct host_item {
    cnn_task_fn run;
    void *task;
    int64_t index;
};

static void *run_host_item(void *argument)
{
    struct host_item *item = argument;
    item->run(item->task, item->index);
    return NULL;
}

/* A thread per index, last index first. */
static void host_parallel_for(void *user, int64_t count, cnn_task_fn run, void *task)
{
    struct host *host = user;
    struct host_item items[16];
    pthread_t threads[16];
    atomic_fetch_add(&host->calls, 1);
    host->most = CNNI_MAX(host->most, count);
    for (int64_t i = count - 1; i >= 0; i--) {
        items[i] = (struct host_item){run, task, i};
        pthread_create(&threads[i], NULL, run_host_item, &items[i]);
    }
    for (int64_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void host_serial_for(void *user, int64_t count, cnn_task_fn run, void *task)
{
    struct host *host = user;
    atomic_fetch_add(&host->calls, 1);
    for (int64_t i = 0; i < count; i++)
        run(task, i);
}

START_TEST(the_host_s_threads_do_the_work)
{
    static const cnn_parallel_for_fn functions[] = {host_parallel_for, host_serial_for};
    int32_t before = count_threads();
    for (int32_t i = 0; i < CNNI_COUNT(functions); i++) {
        struct host host = {0};
        ck_assert_int_eq(cnn_context_set_parallel_for(context, functions[i], &host), CNN_OK);
        set_threads(4);
        ck_assert(run_well(4, 100));
        ck_assert(run_well(3, 100));
        ck_assert(run_well(4, 2));
        ck_assert_int_eq(atomic_load(&host.calls), 3);
        ck_assert_int_le(host.most, 4);
        ck_assert(are_left(before));
    }
    ck_assert_int_eq(cnn_context_set_parallel_for(context, NULL, NULL), CNN_OK);
    ck_assert(run_well(4, 100));
}
END_TEST

/* ---- The process ---- */

START_TEST(a_child_has_its_own_pool)
{
    set_threads(3);
    ck_assert(run_well(3, 100));
    for (int32_t i = 0; i < 5; i++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            bool good = run_well(3, 100);
            cnn_context_free(context);
            _exit(good ? 0 : 1);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child status %d", status);
        ck_assert(run_well(3, 100));
    }
}
END_TEST

struct steady_work {
    struct record record;
    atomic_int breaches;
    atomic_bool started, stop;
};

/* Works until it is told to stop, and allocates nothing meanwhile: a sanitizer's own locks, which
 * it takes for memory and for threads that come and go, do not survive a fork. */
static void *work_steadily(void *argument)
{
    struct steady_work *work = argument;
    while (!atomic_load(&work->stop)) {
        if (!run_recorded(&work->record, 3, 40))
            atomic_fetch_add(&work->breaches, 1);
        atomic_store(&work->started, true);
    }
    return NULL;
}

/* A child of a thread that forks while another one's items run. */
START_TEST(a_fork_during_work_harms_nobody)
{
    static struct steady_work work;
    pthread_t thread;
    set_threads(3);
    ck_assert_int_eq(pthread_create(&thread, NULL, work_steadily, &work), 0);
    while (!atomic_load(&work.started))
        sched_yield();
    for (int32_t i = 0; i < 10; i++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            _exit(run_well(3, 100) ? 0 : 1);
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child status %d", status);
    }
    atomic_store(&work.stop, true);
    pthread_join(thread, NULL);
    ck_assert_int_eq(work.breaches, 0);
}
END_TEST

/* Runs `good` in a child, which has ten seconds for it. */
static bool child_finds(bool (*good)(void *), void *user)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(10);
        _exit(good(user) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_free(void *user)
{
    struct cnni_lock *lock = user;
    cnni_lock_take(lock);
    cnni_lock_give(lock);
    cnni_lock_take(lock);
    cnni_lock_give(lock);
    cnni_lock_destroy(lock);
    return true;
}

struct holder {
    struct cnni_lock lock;
    pthread_barrier_t barrier;
};

static void *hold(void *user)
{
    struct holder *holder = user;
    cnni_lock_take(&holder->lock);
    pthread_barrier_wait(&holder->barrier);
    pthread_barrier_wait(&holder->barrier);
    cnni_lock_give(&holder->lock);
    return NULL;
}

START_TEST(a_lock_is_free_in_a_child)
{
    struct holder holder;
    pthread_t thread;
    ck_assert(cnni_lock_init(&holder.lock));
    ck_assert(child_finds(is_free, &holder.lock));
    pthread_barrier_init(&holder.barrier, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, hold, &holder), 0);
    pthread_barrier_wait(&holder.barrier);
    bool free = child_finds(is_free, &holder.lock);
    pthread_barrier_wait(&holder.barrier);
    pthread_join(thread, NULL);
    ck_assert(free);
    cnni_lock_destroy(&holder.lock);
    pthread_barrier_destroy(&holder.barrier);
}
END_TEST

/* The leaving of who was inside at the fork comes at the worst moments, too. */
static bool lets_all_in(void *user)
{
    struct cnni_gate *gate = user;
    bool good = cnni_gate_users(gate) == 0 && cnni_gate_enter_writing(gate) == 0 &&
                cnni_gate_enter_reading(gate) == -1 && cnni_gate_enter_writing(gate) == -1;
    cnni_gate_leave(gate);
    cnni_gate_leave(gate);
    good = good && cnni_gate_enter_reading(gate) == 0 && cnni_gate_enter_reading(gate) == 0 &&
           cnni_gate_enter_writing(gate) == 2 && cnni_gate_users(gate) == 2;
    for (int32_t i = 0; i < 3; i++)
        cnni_gate_leave(gate);
    return good && cnni_gate_enter_writing(gate) == 0;
}

START_TEST(a_gate_is_open_in_a_child)
{
    struct cnni_gate gate = {0};
    ck_assert(child_finds(lets_all_in, &gate));
    ck_assert_int_eq(cnni_gate_enter_reading(&gate), 0);
    ck_assert(child_finds(lets_all_in, &gate));
    ck_assert_int_eq(cnni_gate_users(&gate), 1);
    cnni_gate_leave(&gate);
    ck_assert_int_eq(cnni_gate_enter_writing(&gate), 0);
    ck_assert(child_finds(lets_all_in, &gate));
    ck_assert_int_eq(cnni_gate_users(&gate), -1);
}
END_TEST

struct signals {
    pthread_barrier_t barrier;
    atomic_int open; /* signals that a worker does not block */
};

static void look_at_signals(void *task, int64_t item, int32_t lane)
{
    static const int asynchronous[] = {SIGINT,  SIGTERM, SIGHUP,  SIGALRM, SIGUSR1,
                                       SIGUSR2, SIGCHLD, SIGPIPE, SIGPROF, SIGWINCH};
    struct signals *signals = task;
    sigset_t mask;
    (void)item;
    pthread_barrier_wait(&signals->barrier);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int32_t i = 0; i < CNNI_COUNT(asynchronous); i++)
        if (lane > 0 && !sigismember(&mask, asynchronous[i]))
            atomic_fetch_add(&signals->open, 1);
}

START_TEST(workers_block_signals_and_callers_keep_theirs)
{
    struct signals signals = {.open = 0};
    sigset_t before, after;
    pthread_barrier_init(&signals.barrier, NULL, 3);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    set_threads(3);
    cnni_parallel(context, 3, 3, look_at_signals, &signals);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(signals.open, 0);
    for (int signal = 1; signal < SIGRTMIN; signal++)
        ck_assert_int_eq(sigismember(&before, signal), sigismember(&after, signal));
    pthread_barrier_destroy(&signals.barrier);
}
END_TEST

struct rounding {
    pthread_barrier_t barrier;
    atomic_int odd;
};

static void look_at_rounding(void *task, int64_t item, int32_t lane)
{
    struct rounding *rounding = task;
    (void)item, (void)lane;
    pthread_barrier_wait(&rounding->barrier);
    if (fegetround() != FE_TONEAREST)
        atomic_fetch_add(&rounding->odd, 1);
}

START_TEST(work_rounds_to_nearest_whatever_the_host_does)
{
    struct rounding rounding = {.odd = 0};
    struct cnni_float_state host;
    pthread_barrier_init(&rounding.barrier, NULL, 3);
    set_threads(3);
    fesetround(FE_UPWARD);
    cnni_float_enter(&host);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    cnni_parallel(context, 3, 3, look_at_rounding, &rounding);
    cnni_float_leave(&host);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(rounding.odd, 0);
    pthread_barrier_destroy(&rounding.barrier);
}
END_TEST

static void count_line(void *user, cnn_log_level level, const char *text)
{
    (void)text;
    *(int32_t *)user += level == CNN_LOG_WARNING;
}

/* A default stack that no system has room for makes every pthread_create() fail. */
START_TEST(refused_threads_mean_fewer_threads)
{
    int32_t lines = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, (size_t)1 << 46), 0);
    ck_assert_int_eq(pthread_setattr_default_np(&attributes), 0);
    ck_assert_int_eq(cnn_context_set_log(context, count_line, &lines), CNN_OK);
    set_threads(4);
    for (int32_t i = 0; i < 3; i++)
        ck_assert(run_well(4, 100));
    ck_assert_int_eq(lines, 1);
    pthread_attr_destroy(&attributes);
}
END_TEST

static Suite *parallel_suite(void)
{
    Suite *suite = suite_create("parallel");
    TCase *tcase = tcase_create("parallel");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, each_item_runs_once);
    tcase_add_test(tcase, the_number_of_threads_may_change_between_calls);
    tcase_add_test(tcase, items_run_at_the_same_time);
    tcase_add_test(tcase, one_thread_starts_none);
    tcase_add_test(tcase, freeing_the_context_joins_the_threads);
    tcase_add_test(tcase, items_may_have_parallel_work);
    tcase_add_test(tcase, callers_may_find_the_pool_busy);
    tcase_add_test(tcase, the_host_s_threads_do_the_work);
    tcase_add_test(tcase, a_child_has_its_own_pool);
    tcase_add_test(tcase, a_fork_during_work_harms_nobody);
    tcase_add_test(tcase, a_lock_is_free_in_a_child);
    tcase_add_test(tcase, a_gate_is_open_in_a_child);
    tcase_add_test(tcase, workers_block_signals_and_callers_keep_theirs);
    tcase_add_test(tcase, work_rounds_to_nearest_whatever_the_host_does);
    tcase_add_test(tcase, refused_threads_mean_fewer_threads);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(parallel_suite());
}
