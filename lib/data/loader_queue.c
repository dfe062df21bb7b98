/* SPDX-License-Identifier: MIT
 * The queue: one lock, two conditions.  A sample takes a hundred microseconds and more to prepare,
 * the lock a fraction of one, so that nothing finer is needed. */
#include "data/loader_queue.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/parallel.h"

/* Where batch `index` ends. */
static int64_t batch_end(const struct cnni_queue *queue, int64_t index)
{
    return CNNI_MIN(queue->plan.count, (index + 1) * queue->plan.batch);
}

/* Positions from here on have no slot yet. */
static int64_t slots_end(const struct cnni_queue *queue)
{
    return batch_end(queue, queue->released + queue->plan.slots - 1);
}

static void prepare_slot(struct cnni_queue *queue, int64_t index)
{
    int64_t size = batch_end(queue, index) - index * queue->plan.batch;
    queue->undone[index % queue->plan.slots] = CNNI_MAX(size, 0);
}

/* Takes the next position and prepares it, giving up the lock meanwhile. */
static void make_next(struct cnni_queue *queue)
{
    int64_t position = queue->next++;
    queue->active++;
    pthread_mutex_unlock(&queue->lock);
    queue->make(queue->user, position);
    pthread_mutex_lock(&queue->lock);
    int64_t slot = position / queue->plan.batch % queue->plan.slots;
    queue->active--;
    queue->undone[slot]--;
    if (queue->undone[slot] == 0 || queue->active == 0)
        pthread_cond_signal(&queue->done);
}

static void run_thread(void *user)
{
    struct cnni_queue *queue = user;
    pthread_mutex_lock(&queue->lock);
    while (!queue->stop) {
        if (queue->next < slots_end(queue))
            make_next(queue);
        else
            pthread_cond_wait(&queue->work, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
}

static bool init_process(struct cnni_queue *queue)
{
    queue->process = getpid();
    queue->threads = 0;
    queue->active = 0;
    queue->stop = false;
    return cnni_lock_init_waiting(&queue->lock, &queue->work, &queue->done);
}

bool cnni_queue_init(struct cnni_queue *queue, cnni_queue_fn *make, void *user)
{
    *queue = (struct cnni_queue){.make = make, .user = user, .plan = {.batch = 1, .slots = 1}};
    return init_process(queue);
}

void cnni_queue_survive_fork(struct cnni_queue *queue, int64_t next_batch)
{
    if (queue->process == getpid())
        return;
    /* Whatever threads had ready or in hand is made anew: they may have been anywhere. */
    /* In place of the parent's, which cannot be undone, no lock can run out. */
    (void)init_process(queue);
    queue->next = CNNI_MIN(queue->plan.count, next_batch * queue->plan.batch);
    for (int64_t index = next_batch; index < queue->released + queue->plan.slots; index++)
        prepare_slot(queue, index);
}

void cnni_queue_join(struct cnni_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stop = true;
    pthread_cond_broadcast(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    for (int32_t i = 0; i < queue->threads; i++)
        pthread_join(queue->thread[i], NULL);
    queue->threads = 0;
    queue->stop = false;
}

void cnni_queue_destroy(struct cnni_queue *queue)
{
    cnni_queue_join(queue);
    pthread_cond_destroy(&queue->done);
    pthread_cond_destroy(&queue->work);
    pthread_mutex_destroy(&queue->lock);
}

bool cnni_queue_begin(struct cnni_queue *queue, const struct cnni_queue_plan *plan, int32_t threads)
{
    if (queue->threads > threads)
        cnni_queue_join(queue);
    pthread_mutex_lock(&queue->lock);
    queue->plan = *plan;
    queue->next = CNNI_MIN(plan->count, plan->first * plan->batch);
    queue->released = plan->first;
    for (int32_t i = 0; i < plan->slots; i++)
        prepare_slot(queue, plan->first + i);
    pthread_cond_broadcast(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    while (queue->threads < threads &&
           cnni_thread_start(&queue->thread[queue->threads], run_thread, queue))
        queue->threads++;
    return queue->threads == threads;
}

void cnni_queue_drop(struct cnni_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->next = queue->plan.count;
    while (queue->active > 0)
        pthread_cond_wait(&queue->done, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

double cnni_queue_wait(struct cnni_queue *queue, int64_t index)
{
    int64_t *undone = &queue->undone[index % queue->plan.slots];
    double start = 0;
    pthread_mutex_lock(&queue->lock);
    if (*undone > 0 && queue->threads > 0)
        start = cnni_seconds();
    while (*undone > 0) {
        if (queue->next < batch_end(queue, index))
            make_next(queue);
        else
            pthread_cond_wait(&queue->done, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    return start > 0 ? cnni_seconds() - start : 0;
}

void cnni_queue_release(struct cnni_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    prepare_slot(queue, queue->released + queue->plan.slots);
    queue->released++;
    pthread_cond_broadcast(&queue->work);
    pthread_mutex_unlock(&queue->lock);
}
