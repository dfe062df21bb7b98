/* SPDX-License-Identifier: MIT
 * Splits a dataset in two, class by class, by numbers that depend on the seed alone.  The halves
 * name their samples in the source; no sample is touched. */
#include "cnn/dataset.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "data/dataset_internal.h"

static const char function[] = "cnn_dataset_split";

/* A split in the making.  Samples of a callback, which have no labels yet, are one class. */
struct split {
    const cnn_dataset *dataset;
    cnn_context *context;
    int32_t classes;
    double fraction;
    uint64_t seed;
    int64_t *ends;     /* [classes]: where each class ends in `by_class` */
    int64_t *by_class; /* [count]: the dataset's sample numbers, class by class */
    bool *in_second;   /* [count] */
    int64_t second_count;
};

static int32_t split_class(const struct split *split, int64_t index)
{
    return CNNI_MAX(cnn_dataset_label(split->dataset, index), 0);
}

/* Counting sort: sizes, then starts, which move to the ends while the samples are put in. */
static void sort_by_class(struct split *split)
{
    int64_t start = 0;
    for (int64_t i = 0; i < split->dataset->count; i++)
        split->ends[split_class(split, i)]++;
    for (int32_t k = 0; k < split->classes; k++) {
        int64_t size = split->ends[k];
        split->ends[k] = start;
        start += size;
    }
    for (int64_t i = 0; i < split->dataset->count; i++)
        split->by_class[split->ends[split_class(split, i)]++] = i;
}

static cnn_status fail_small(const struct split *split, int32_t class, int64_t size)
{
    const char *name = cnn_dataset_class_name(split->dataset, class);
    char shown[CNNI_SHOW_SIZE];
    return cnni_fail(split->context, CNN_ERROR_SHAPE,
                     "%s: the class \"%s\" has %lld sample%s, must have at least 2", function,
                     cnni_show_bytes(shown, sizeof shown, name, strlen(name)), (long long)size,
                     size == 1 ? "" : "s");
}

/* Shuffles each class and gives the first of it to the second half. */
static cnn_status choose(struct split *split)
{
    int64_t start = 0;
    for (int32_t k = 0; k < split->classes; k++) {
        struct cnni_random random;
        int64_t size = split->ends[k] - start;
        if (size < 2)
            return fail_small(split, k, size);
        int64_t share = (int64_t)((double)size * split->fraction + 0.5);
        share = CNNI_MIN(CNNI_MAX(share, 1), size - 1);
        cnni_random_start(&random, split->seed, CNNI_RANDOM_SPLIT, (uint64_t)k, 0);
        cnni_random_shuffle(&random, split->by_class + start, size);
        for (int64_t i = 0; i < share; i++)
            split->in_second[split->by_class[start + i]] = true;
        split->second_count += share;
        start = split->ends[k];
    }
    return CNN_OK;
}

/* Makes one of the two halves, in the dataset's order. */
static cnn_status make_half(cnn_dataset **half, const struct split *split, bool second)
{
    cnn_dataset *made;
    const cnn_dataset *whole = split->dataset;
    CNNI_TRY(cnni_dataset_of(&made, whole->source, function));
    made->count = second ? split->second_count : whole->count - split->second_count;
    cnn_status status = cnni_alloc(&made->members, split->context, (size_t)made->count,
                                   sizeof *made->members, function);
    if (status != CNN_OK) {
        cnn_dataset_free(made);
        return status;
    }
    int64_t *next = made->members;
    for (int64_t i = 0; i < whole->count; i++)
        if (split->in_second[i] == second)
            *next++ = cnni_dataset_member(whole, i);
    *half = made;
    return CNN_OK;
}

static cnn_status run_split(cnn_dataset **first, cnn_dataset **second, struct split *split)
{
    cnn_context *context = split->context;
    size_t count = (size_t)split->dataset->count, classes = (size_t)split->classes;
    CNNI_TRY(cnni_alloc_zero(&split->ends, context, classes, sizeof *split->ends, function));
    CNNI_TRY(cnni_alloc(&split->by_class, context, count, sizeof *split->by_class, function));
    CNNI_TRY(cnni_alloc_zero(&split->in_second, context, count, sizeof(bool), function));
    sort_by_class(split);
    CNNI_TRY(choose(split));
    CNNI_TRY(make_half(first, split, false));
    return make_half(second, split, true);
}

cnn_status cnn_dataset_split(cnn_dataset **first, cnn_dataset **second, cnn_dataset *dataset,
                             double fraction, uint64_t seed)
{
    if (first != NULL)
        *first = NULL;
    if (second != NULL)
        *second = NULL;
    if (dataset == NULL)
        return cnni_fail_null(NULL, function, "dataset");
    cnn_context *context = dataset->source->context;
    if (first == NULL || second == NULL)
        return cnni_fail_null(context, function, first == NULL ? "first" : "second");
    if (!(fraction > 0 && fraction < 1))
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: fraction is %g, must be above 0 and below 1", function, fraction);
    struct split split = {
        .dataset = dataset,
        .context = context,
        .classes = dataset->source->labels == NULL ? 1 : dataset->source->classes,
        .fraction = fraction,
        .seed = seed,
    };
    struct cnni_float_state host;
    cnni_float_enter(&host);
    cnn_status status = run_split(first, second, &split);
    cnni_float_leave(&host);
    if (status != CNN_OK) {
        cnn_dataset_free(*first);
        *first = NULL;
    }
    cnni_free(context, split.ends);
    cnni_free(context, split.by_class);
    cnni_free(context, split.in_second);
    return status;
}
