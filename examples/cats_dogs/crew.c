/* SPDX-License-Identifier: MIT
 * Each thread takes the next piece that nobody has taken.  The calling thread is one of them, and
 * shows on the way how far all have come. */
#include "crew.h"

#include "bar.h"
#include "interrupt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct job {
    const struct crew *crew;
    atomic_int_fast64_t next, done;
    atomic_bool failed;
};

struct member {
    struct job *job;
    int64_t number;
    pthread_t thread;
};

static void *work(void *user)
{
    const struct member *member = user;
    struct job *job = member->job;
    const struct crew *crew = job->crew;
    struct bar bar = {.what = crew->what, .count = crew->count};
    int64_t i;

    while (!atomic_load(&job->failed) && !interrupt_seen() &&
           (i = atomic_fetch_add(&job->next, 1)) < crew->count) {
        if (!crew->work(crew->user, member->number, i))
            atomic_store(&job->failed, true);
        const int64_t done = atomic_fetch_add(&job->done, 1) + 1;
        if (member->number == 0)
            bar_step(&bar, done);
    }
    return NULL;
}

/* Where not all threads can be started, it only takes longer. */
enum crew_end crew_run(const struct crew *crew)
{
    struct job job = {.crew = crew};
    struct member members[CREW_MOST] = {{.job = &job}};
    int64_t started = 1;

    while (started < crew->threads) {
        struct member *member = &members[started];
        *member = (struct member){.job = &job, .number = started};
        if (pthread_create(&member->thread, NULL, work, member) != 0)
            break;
        started++;
    }
    work(&members[0]);
    for (int64_t i = 1; i < started; i++)
        pthread_join(members[i].thread, NULL);
    if (atomic_load(&job.failed))
        return CREW_FAILED;
    return atomic_load(&job.done) < crew->count ? CREW_INTERRUPTED : CREW_DONE;
}
