/* SPDX-License-Identifier: MIT
 * The model is asked about each picture and its mirror image, which makes it right more often,
 * unless left and right matter: on each thread by a predictor of its own, whose sessions share the
 * model. */
#include "check_labels.h"

#include "console.h"
#include "crew.h"
#include "predictor.h"

#include <stdlib.h>
#include <string.h>

/* How sure the model must be of another class. */
static const float least_sure = 0.8f;

/* What the model says of a file. */
struct verdict {
    int64_t file;
    int32_t predicted; /* the model's number of the class; -1: it was not asked */
    float probability, own_probability;
};

struct asking {
    const struct check_folder *folder;
    const cnn_model *model;
    int32_t *numbers;         /* the model's number of each class of the folder; -1: it has none */
    struct verdict *verdicts; /* of each file */
    struct predictor predictors[CREW_MOST]; /* one for each thread */
};

/* ---- Classes ------------------------------------------------------------------------------- */

static int32_t number_of(const cnn_model *model, const char *name)
{
    for (int32_t i = 0; i < cnn_model_class_count(model); i++) {
        if (strcmp(cnn_model_class_name(model, i), name) == 0)
            return i;
    }
    return -1;
}

/* Matches the classes by name. */
static void match_classes(struct asking *asking, struct findings *findings)
{
    const struct check_folder *folder = asking->folder;

    for (int64_t i = 0; i < folder->class_count; i++) {
        asking->numbers[i] = number_of(asking->model, folder->classes[i].name);
        if (asking->numbers[i] < 0)
            findings_add(findings, FOUND_CLASSES, "%s: not a class of the model",
                         folder->classes[i].name);
    }
}

static void find_unused(const struct asking *asking, struct findings *findings)
{
    const cnn_model *model = asking->model;

    for (int32_t i = 0; i < cnn_model_class_count(model); i++) {
        bool is_used = false;
        for (int64_t k = 0; !is_used && k < asking->folder->class_count; k++)
            is_used = asking->numbers[k] == i;
        if (!is_used)
            findings_add(findings, FOUND_CLASSES, "%s: a class of the model, without pictures here",
                         cnn_model_class_name(model, i));
    }
}

/* ---- Pictures ------------------------------------------------------------------------------ */

/* Asks about a file; false when the model cannot answer. */
static bool judge_file(void *user, int64_t member, int64_t index)
{
    struct asking *asking = user;
    struct predictor *predictor = &asking->predictors[member];
    const struct check_file *file = &asking->folder->files[index];
    const int32_t own = asking->numbers[file->class];

    asking->verdicts[index].predicted = -1;
    if (own < 0 || file->picture.state != FINE)
        return true;
    if (predictor_run(predictor, file->path) != CNN_OK)
        return false;
    const float *probabilities = predictor_probabilities(predictor);
    const int32_t best = most_probable(probabilities, predictor->classes);
    asking->verdicts[index] =
        (struct verdict){index, best, probabilities[best], probabilities[own]};
    return true;
}

static bool judge_all(struct asking *asking, const cnn_context *context, int64_t threads)
{
    const struct crew crew = {.what = "predicting",
                              .count = asking->folder->file_count,
                              .threads = threads,
                              .work = judge_file,
                              .user = asking};
    const enum crew_end end = crew_run(&crew);
    char reason[512]; /* on whatever thread it happened */

    cnn_context_error(context, reason, sizeof reason);
    if (end != CREW_DONE)
        console_error("%s", end == CREW_FAILED ? reason
                                               : "interrupted before all pictures were predicted");
    return end == CREW_DONE;
}

/* Whether the model is sure that a file is of another class than its own. */
static bool is_doubt(const struct asking *asking, const struct verdict *verdict)
{
    const int class = asking->folder->files[verdict->file].class;

    return verdict->predicted >= 0 && verdict->predicted != asking->numbers[class] &&
           verdict->probability >= least_sure;
}

/* The least probable label first; of equally probable ones the earlier file. */
static int by_probability(const void *a, const void *b)
{
    const struct verdict *first = a;
    const struct verdict *second = b;

    if (first->own_probability != second->own_probability)
        return first->own_probability < second->own_probability ? -1 : 1;
    return first->file < second->file ? -1 : 1;
}

static void find_doubts(struct asking *asking, struct findings *findings)
{
    struct verdict *doubts = asking->verdicts; /* moved together over those that have been seen */
    size_t count = 0;

    for (int64_t i = 0; i < asking->folder->file_count; i++) {
        if (is_doubt(asking, &asking->verdicts[i]))
            doubts[count++] = asking->verdicts[i];
    }
    if (count > 0)
        qsort(doubts, count, sizeof *doubts, by_probability);
    for (size_t i = 0; i < count; i++)
        findings_add(findings, FOUND_DOUBTFUL, "%s: %s, probability %.4f",
                     asking->folder->files[doubts[i].file].path,
                     cnn_model_class_name(asking->model, doubts[i].predicted),
                     (double)doubts[i].probability);
}

static bool create(struct asking *asking, const struct judge *judge, int64_t threads)
{
    const struct check_folder *folder = asking->folder;
    bool done = true;

    asking->numbers = calloc((size_t)folder->class_count + 1, sizeof *asking->numbers);
    asking->verdicts = calloc((size_t)folder->file_count + 1, sizeof *asking->verdicts);
    if (asking->numbers == NULL || asking->verdicts == NULL) {
        console_error("no memory for what the model says of all pictures");
        return false;
    }
    for (int64_t i = 0; done && i < threads; i++)
        done = predictor_create(&asking->predictors[i], judge->context, judge->model, judge->path,
                                judge->flip);
    return done;
}

bool check_labels(const struct check_folder *folder, struct findings *findings,
                  const struct judge *judge, int64_t threads)
{
    struct asking asking = {.folder = folder, .model = judge->model};
    bool done = create(&asking, judge, threads);

    if (done) {
        match_classes(&asking, findings);
        find_unused(&asking, findings);
        done = judge_all(&asking, judge->context, threads);
    }
    if (done)
        find_doubts(&asking, findings);
    for (int64_t i = 0; i < threads; i++)
        predictor_free(&asking.predictors[i]);
    free(asking.verdicts);
    free(asking.numbers);
    return done;
}
