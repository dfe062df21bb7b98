/* SPDX-License-Identifier: MIT
 * cats-dogs train: from folders of pictures to the best model that was found.
 *
 * Read from the bottom: command_train() says what happens, the functions above it how.  Networks
 * with their recipes are in network_table.c, what a training takes from these in recipe.c, who
 * watches meanwhile in observer.c, how the best model gets into its file in best.c, and how it goes
 * on after a break in resume.c. */
#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "drawings.h"
#include "interrupt.h"
#include "network.h"
#include "observer.h"
#include "outputs.h"
#include "parts.h"
#include "recipe.h"
#include "resume.h"

#include <cnn.h>

#include <limits.h>
#include <math.h>

/* One training, from the options to the result. */
struct training {
    struct options *options;
    const struct network *network;

    cnn_context *context;
    struct parts parts;
    cnn_model *model;
    cnn_loader *training_loader, *validation_loader;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;

    struct record record;
    bool failed;          /* what a progress callback had to do */
    double test_accuracy; /* NaN: not tested */
    struct observers *observers;
};

/* ---- Before anything is trained ------------------------------------------------------------ */

static cnn_status create_context(struct training *training)
{
    cnn_status status = cnn_context_create(&training->context);

    if (status == CNN_OK)
        status = cnn_context_set_log(training->context, console_log, NULL);
    if (status == CNN_OK)
        status = cnn_context_set_seed(training->context, (uint64_t)training->options->seed);
    if (status == CNN_OK && training->options->threads > 0)
        status = cnn_context_set_threads(training->context, (int32_t)training->options->threads);
    return status;
}

static void print_plan(const struct training *training)
{
    const long long size = training->options->size;
    const long long predict_size = training->options->predict_size;

    parts_print(&training->parts);
    console_line("%-10s  %s, %lld x %lld x 3, on %d threads (%s)", "network",
                 training->network->name, size, size, (int)cnn_context_threads(training->context),
                 cnn_context_cpu_name(training->context));
    if (predict_size != size)
        console_line("%-10s  predicts pictures of %lld x %lld", "", predict_size, predict_size);
    network_print(training->model);
}

/* ---- Loaders, optimizer, trainer ----------------------------------------------------------- */

/* Training pictures come in a new order each epoch, and never twice the same. */
static cnn_status create_training_loader(struct training *training)
{
    cnn_status status = cnn_loader_create(&training->training_loader, training->parts.training,
                                          training->model, training->options->batch);
    cnn_loader *loader = training->training_loader;

    if (status == CNN_OK)
        status = cnn_loader_set_shuffle(loader, 1, (uint64_t)training->options->seed);
    if (status == CNN_OK)
        status = recipe_augment(loader, training->options);
    return status;
}

static cnn_status create_loaders(struct training *training)
{
    const cnn_status status = create_training_loader(training);

    if (status != CNN_OK)
        return status;
    return cnn_loader_create(&training->validation_loader, training->parts.validation,
                             training->model, training->options->batch);
}

static cnn_status create_optimizer(struct training *training)
{
    return recipe_optimize(&training->optimizer, training->context, training->network,
                           training->options, cnn_loader_batches(training->training_loader));
}

static cnn_status create_trainer(struct training *training)
{
    cnn_status status = cnn_trainer_create(&training->trainer, training->model, training->optimizer,
                                           CNN_SOFTMAX_CROSS_ENTROPY, training->options->batch);
    if (status == CNN_OK)
        status = recipe_weigh(training->trainer, training->options, training->parts.training);
    if (status == CNN_OK)
        status = recipe_refine(training->trainer, training->options);
    if (status == CNN_OK) /* so that a model that cannot be saved now can be later */
        status = cnn_trainer_set_keep_best(training->trainer, 1);
    return status;
}

/* ---- Training ------------------------------------------------------------------------------ */

/* Returns whether to go on. */
static bool end_epoch(struct training *training, const cnn_progress *progress)
{
    struct best *best = &training->record.best;
    const bool is_best = best_update(best, training->trainer, progress);

    best_try_to_save(best, is_best ? training->model : NULL, training->trainer, training->options);
    const enum rank rank = !is_best ? ORDINARY : best_is_saved(best) ? BEST_SAVED : BEST;
    history_epoch(&training->record.history, progress);
    observers_epoch(training->observers, progress, rank);
    training->failed = !resume_set_note(training->trainer, training->options, &training->record);
    return !training->failed;
}

static bool end_step(struct training *training, const cnn_progress *progress)
{
    observers_step(training->observers, progress);
    if (history_step(&training->record.history, progress))
        training->failed =
            !resume_set_note(training->trainer, training->options, &training->record);
    return !training->failed;
}

/* What cnn_trainer_fit() calls after each step and each epoch; not 0 stops it.  An interrupt may
 * have come before there was anything to cancel. */
static int32_t on_progress(void *user, const cnn_progress *progress)
{
    const bool goes_on = cnn_progress_get_kind(progress) == CNN_PROGRESS_EPOCH
                             ? end_epoch(user, progress)
                             : end_step(user, progress);

    return goes_on && !interrupt_seen() ? 0 : 1;
}

/* How many batches there were before, of which each is a global_step. */
static int64_t batches_done(const struct training *training)
{
    const cnn_loader *loader = training->training_loader;
    const int64_t epochs = cnn_trainer_epoch(training->trainer) - 1;

    return epochs * cnn_loader_batches(loader) + cnn_loader_batch(loader);
}

static void start_observers(const struct training *training)
{
    const struct options *options = training->options;
    const struct run run = {
        .options = options,
        .network = training->network,
        .first_step = batches_done(training) + 1,
        .history = &training->record.history,
        .context = training->context,
        .model = training->model,
        .training_data = training->parts.training,
        .validation_data = training->parts.validation,
        .test_data = training->parts.test,
    };
    observers_start(training->observers, &run);
}

/* A training may have been stopped while its best model could not be saved. */
static void begin(struct training *training)
{
    struct best *best = &training->record.best;
    const bool was_saved = best_is_saved(best);

    start_observers(training);
    resume_print(training->trainer, training->options);
    best_try_to_save(best, NULL, training->trainer, training->options);
    if (!was_saved && best_is_saved(best))
        resume_renew(training->trainer, training->training_loader, training->options,
                     &training->record);
}

/* After the last step: the best model is to be in its file now.  What is said of how to go on comes
 * after `event`, NULL for a training that has ended by itself. */
static bool end(struct training *training, const char *event)
{
    struct best *best = &training->record.best;
    const bool is_saved = best_save(best, NULL, training->trainer, training->options);

    if (!is_saved)
        console_library_error();
    const bool resumable =
        (event != NULL || !is_saved) &&
        resume_offer(training->trainer, training->options, event != NULL ? event : "not saved");
    if (best->epoch == 0 && !resumable)
        console_error("interrupted before the first epoch ended; nothing was saved");
    return is_saved && (best->epoch > 0 || resumable);
}

/* Trains until the last epoch, or until Ctrl-C.  An interrupted training is a success if there is a
 * best model by then, or a checkpoint. */
static bool fit(struct training *training)
{
    begin(training);
    interrupt_cancels(training->trainer);
    const cnn_status status =
        cnn_trainer_fit(training->trainer, training->training_loader, training->validation_loader,
                        training->options->epochs, on_progress, training);
    interrupt_cancels(NULL);
    if (training->failed)
        return false;
    if (status != CNN_OK && status != CNN_ERROR_CANCELLED)
        return console_succeeded(status);
    return end(training, status == CNN_ERROR_CANCELLED ? "interrupted" : NULL);
}

/* ---- The result ---------------------------------------------------------------------------- */

/* Measures the best model, which is the one in the file. */
static bool measure_best(struct training *training)
{
    const struct parts *parts = &training->parts;
    const char *what = parts->test != NULL ? "the test pictures" : "the validation pictures";
    cnn_model *model = NULL;
    double accuracy = NAN;

    if (parts->test == NULL)
        console_line(
            "no test pictures: what follows is of those that the best model was chosen by, "
            "and a little too good");
    const bool done =
        console_succeeded(cnn_model_load(&model, training->context, training->options->output)) &&
        confusion_report(&accuracy, training->context, model, parts_measured(parts), what,
                         training->options->flip_average == 1);

    if (parts->test != NULL)
        training->test_accuracy = accuracy;
    cnn_model_free(model);
    return done;
}

static void print_best(const struct training *training, bool interrupted)
{
    const struct best *best = &training->record.best;

    console_line("%sbest model: epoch %lld, validation accuracy %.4f, loss %.4f, saved in %s",
                 interrupted ? "interrupted; " : "", (long long)best->epoch, best->accuracy,
                 best->loss, training->options->output);
}

/* An interrupted training is a success, as it has a best model by now; it is not measured. */
static bool report_result(struct training *training)
{
    const bool interrupted = interrupt_seen();
    const bool is_measured = !interrupted && parts_measured(&training->parts) != NULL;

    if (training->record.best.epoch == 0) /* what there is, is a checkpoint */
        return true;
    if (!is_measured || !training->options->quiet)
        print_best(training, interrupted);
    if (!is_measured || measure_best(training))
        return true;
    if (interrupt_seen())
        print_best(training, true);
    return interrupt_seen();
}

static bool end_observers(const struct training *training)
{
    const struct outcome outcome = {
        .best_epoch = training->record.best.epoch,
        .validation_accuracy = training->record.best.accuracy,
        .validation_loss = training->record.best.loss,
        .test_accuracy = training->test_accuracy,
        .interrupted = interrupt_seen(),
    };
    return observers_end(training->observers, &outcome);
}

/* ---- The command --------------------------------------------------------------------------- */

/* Frees what training needs and testing does not. */
static void free_trainer(struct training *training)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
    cnn_loader_free(training->validation_loader);
    cnn_loader_free(training->training_loader);
}

static void free_rest(struct training *training)
{
    cnn_model_free(training->model);
    parts_free(&training->parts);
    cnn_context_free(training->context);
}

/* Not every network has one: the weights behind a flatten belong to one size. */
static bool check_predict_size(const struct training *training)
{
    const int64_t size = training->options->predict_size;
    cnn_model *resized = NULL;
    const cnn_status status =
        cnn_model_create_resized(&resized, training->model, (int64_t[]){size, size, 3}, 3);

    cnn_model_free(resized);
    if (status != CNN_ERROR_SHAPE)
        return console_succeeded(status);
    console_error("--predict-size %lld does not fit the network %s: %s", (long long)size,
                  training->network->name, console_library_reason());
    return false;
}

/* The folders of the parts may differ. */
static bool have_same_classes(const struct training *training, const char *data)
{
    const struct parts *parts = &training->parts;

    return confusion_same_classes(training->model, parts->validation, data) &&
           (parts->test == NULL || confusion_same_classes(training->model, parts->test, data));
}

/* Everything that can be wrong before training is found out here. */
static bool prepare(struct training *training, const char *data)
{
    return console_succeeded(create_context(training)) &&
           parts_open(&training->parts, training->context, data, training->options) &&
           network_create(&training->model, training->context, training->network,
                          training->options->size, training->parts.training) &&
           check_predict_size(training) && have_same_classes(training, data) &&
           console_succeeded(create_loaders(training)) &&
           console_succeeded(create_optimizer(training)) &&
           console_succeeded(create_trainer(training)) &&
           resume_begin(training->trainer, training->training_loader, training->options,
                        &training->record);
}

static bool train(struct training *training, const char *data)
{
    bool done = prepare(training, data);

    if (done && !training->options->quiet)
        print_plan(training);
    done = done && fit(training);
    free_trainer(training);
    done = done && report_result(training) &&
           (training->record.best.epoch == 0 || end_observers(training));
    free_rest(training);
    return done;
}

static bool train_on_drawings(struct training *training)
{
    const struct options *options = training->options;
    char folder[PATH_MAX];

    if (!options->quiet)
        console_line("%-10s  drawing %lld cats and dogs", "data", (long long)options->count);
    if (!drawings_create_temporary(folder, sizeof folder, options->count, (uint64_t)options->seed))
        return false;
    interrupt_removes(folder);
    const bool done = train(training, folder);
    interrupt_removes(NULL);
    drawings_remove(folder);
    return done;
}

int command_train(const struct options *given)
{
    struct options options = *given;
    struct training training = {.options = &options, .test_accuracy = NAN};

    options.first_command = options.command;
    interrupt_catch();
    /* Better to know now than after an hour of training. */
    if (!resume_take_up(&options, &training.record) ||
        (training.network = recipe_complete(&options)) == NULL || !recipe_check(&options) ||
        !outputs_check_training(&options) || !resume_check_file(&options) ||
        (training.observers = observers_create(&options)) == NULL)
        return EXIT_ERROR;
    const bool done = options.operand_count > 0 ? train(&training, options.operands[0])
                                                : train_on_drawings(&training);
    observers_free(training.observers);
    return done ? EXIT_FINE : EXIT_ERROR;
}
