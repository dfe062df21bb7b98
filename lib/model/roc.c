/* SPDX-License-Identifier: MIT
 * The area counts pairs instead of summing rectangles: sorted, both lists are walked through once,
 * and all that is rounded is the share of the counts. */
#include "model/roc.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/sort.h"

static const int64_t first_room = 256;

/* ---- The lists ---- */

static cnn_status grow(struct cnni_scores *scores, cnn_context *context, int64_t room,
                       const char *function)
{
    double *larger;
    CNNI_TRY(cnni_alloc(&larger, context, (size_t)room, sizeof *larger, function));
    if (scores->count > 0)
        memcpy(larger, scores->value, (size_t)scores->count * sizeof *larger);
    cnni_free(context, scores->value);
    scores->value = larger;
    scores->room = room;
    return CNN_OK;
}

cnn_status cnni_roc_reserve(struct cnni_roc *roc, cnn_context *context, int32_t index, int64_t more,
                            const char *function)
{
    struct cnni_scores *scores = &roc->of[index];
    const int64_t most = UINT32_MAX, held = roc->of[0].count + roc->of[1].count;
    if (more > most - held)
        return cnni_fail(context, CNN_ERROR_LIMIT,
                         "%s: with %lld more samples there are more than %lld, the most that two "
                         "classes can have",
                         function, (long long)more, (long long)most);
    if (more <= scores->room - scores->count)
        return CNN_OK;
    const int64_t doubled = CNNI_MAX(2 * scores->room, first_room);
    return grow(scores, context, CNNI_MAX(doubled, scores->count + more), function);
}

void cnni_roc_add(struct cnni_roc *roc, int32_t index, double score)
{
    struct cnni_scores *scores = &roc->of[index];
    CNNI_ASSERT(scores->count < scores->room && !isnan(score));
    scores->value[scores->count++] = score;
    scores->sorted = false;
}

void cnni_roc_clear(struct cnni_roc *roc)
{
    for (int32_t index = 0; index < 2; index++)
        roc->of[index].count = 0;
}

void cnni_roc_free(struct cnni_roc *roc, cnn_context *context)
{
    for (int32_t index = 0; index < 2; index++)
        cnni_free(context, roc->of[index].value);
}

/* ---- The area ---- */

static int by_value(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static void sort(struct cnni_scores *scores)
{
    if (!scores->sorted)
        cnni_sort(scores->value, scores->count, sizeof *scores->value, by_value);
    scores->sorted = true;
}

/* Twice the number of pairs in which class 1 is ahead, plus that of those where neither is. */
static uint64_t count_pairs(const struct cnni_scores *zeros, const struct cnni_scores *ones)
{
    uint64_t pairs = 0;
    int64_t below = 0, up_to = 0; /* zeros that are smaller; that are not larger */
    for (int64_t i = 0; i < ones->count; i++) {
        while (below < zeros->count && zeros->value[below] < ones->value[i])
            below++;
        while (up_to < zeros->count && zeros->value[up_to] <= ones->value[i])
            up_to++;
        pairs += (uint64_t)(below + up_to);
    }
    return pairs;
}

double cnni_roc_area(struct cnni_roc *roc)
{
    struct cnni_scores *zeros = &roc->of[0], *ones = &roc->of[1];
    if (zeros->count == 0 || ones->count == 0)
        return NAN;
    sort(zeros);
    sort(ones);
    return (double)count_pairs(zeros, ones) / 2 / ((double)zeros->count * (double)ones->count);
}
