/* SPDX-License-Identifier: MIT
 * cats-dogs train: from folders of pictures to the best model that was found.
 *
 * Read from the bottom: command_train() says what happens, the functions above it how.  Networks
 * and their recipes are in networks.c, what is shown meanwhile in progress.c. */
#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "drawings.h"
#include "interrupt.h"
#include "networks.h"
#include "output_file.h"
#include "progress.h"
#include "schedules.h"

#include <cnn.h>

#include <limits.h>
#include <stdio.h>

/* The best epoch until now. */
struct best {
    int64_t epoch; /* 0: none has ended yet */
    double accuracy;
    double loss;
};

/* One training, from the options to the result. */
struct training {
    const struct options *options;
    const struct network *network;
    const struct schedule *schedule;
    int64_t size, epochs, batch;
    double learning_rate;

    cnn_context *context;
    cnn_dataset *training_data, *validation_data;
    cnn_dataset *test_data; /* NULL: there is no folder for it */
    cnn_model *model;
    cnn_loader *training_loader, *validation_loader;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;

    struct best best;
    bool save_failed;
    struct progress_display display;
};

/* ---- Before anything is trained ------------------------------------------------------------ */

/* Takes from the network's recipe what the command line leaves open. */
static bool choose_recipe(struct training *training)
{
    const struct options *options = training->options;
    const struct network *network = network_find(options->network);
    const bool drawings = options->operand_count == 0;

    if (network == NULL) {
        console_error("--network %s: wanted classic or default", options->network);
        return false;
    }
    training->network = network;
    training->schedule = schedule_find(options->schedule);
    training->size = options->size > 0 ? options->size : network->size;
    training->epochs = options->epochs > 0 ? options->epochs
                       : drawings          ? network->drawing_epochs
                                           : network->epochs;
    training->batch = options->batch > 0 ? options->batch : network->batch;
    training->learning_rate =
        options->learning_rate > 0 ? options->learning_rate : network->learning_rate;
    return training->schedule != NULL;
}

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

/* ---- Data ---------------------------------------------------------------------------------- */

static cnn_status open_data(struct training *training, const char *path)
{
    const struct options *options = training->options;
    cnn_dataset *all = NULL;
    cnn_status status = cnn_dataset_open(&all, training->context, path, CNN_TRAIN);

    if (status == CNN_OK)
        status = cnn_dataset_split(&training->training_data, &training->validation_data, all,
                                   options->validation, (uint64_t)options->seed);
    cnn_dataset_free(all);
    if (status == CNN_OK)
        status = cnn_dataset_open(&training->test_data, training->context, path, CNN_TEST);
    return status == CNN_ERROR_NOT_FOUND && training->training_data != NULL ? CNN_OK : status;
}

/* "training   7200 pictures: 3600 cats, 3600 dogs" */
static void print_data(const char *title, const cnn_dataset *dataset)
{
    const int32_t classes = cnn_dataset_class_count(dataset);
    const int64_t count = cnn_dataset_count(dataset);
    char line[LINE_MAX];
    int used = snprintf(line, sizeof line, "%-10s  %lld pictures:", title, (long long)count);

    for (int32_t kind = 0; kind < classes && used < (int)sizeof line; kind++) {
        long long members = 0;
        for (int64_t i = 0; i < count; i++)
            members += cnn_dataset_label(dataset, i) == kind;
        used += snprintf(line + used, sizeof line - (size_t)used, "%s %lld %s", kind > 0 ? "," : "",
                         members, cnn_dataset_class_name(dataset, kind));
    }
    console_line("%s", line);
}

static void print_plan(const struct training *training)
{
    print_data("training", training->training_data);
    print_data("validation", training->validation_data);
    if (training->test_data != NULL)
        print_data("test", training->test_data);
    console_line("%-10s  %s, %lld x %lld x 3, on %d threads (%s)", "network",
                 training->network->name, (long long)training->size, (long long)training->size,
                 (int)cnn_context_threads(training->context),
                 cnn_context_cpu_name(training->context));
    network_print(training->model);
}

/* ---- Loaders, optimizer, trainer ----------------------------------------------------------- */

/* Training pictures come in a new order each epoch, and never twice the same. */
static cnn_status create_training_loader(struct training *training)
{
    const struct network *network = training->network;
    cnn_status status = cnn_loader_create(&training->training_loader, training->training_data,
                                          training->model, training->batch);
    cnn_loader *loader = training->training_loader;

    if (status == CNN_OK)
        status = cnn_loader_set_shuffle(loader, 1, (uint64_t)training->options->seed);
    if (status == CNN_OK)
        status = cnn_loader_set_random_crop(loader, network->smallest_crop, 1.0, 4.0 / 3.0);
    if (status == CNN_OK)
        status = cnn_loader_set_random_rotation(loader, network->rotation);
    if (status == CNN_OK)
        status = cnn_loader_set_random_flip(loader, 0.5);
    if (status == CNN_OK)
        status = cnn_loader_set_random_color(loader, network->color, network->color);
    return status;
}

static cnn_status create_loaders(struct training *training)
{
    const cnn_status status = create_training_loader(training);

    if (status != CNN_OK)
        return status;
    return cnn_loader_create(&training->validation_loader, training->validation_data,
                             training->model, training->batch);
}

/* AdamW. */
static cnn_status create_optimizer(struct training *training)
{
    const struct network *network = training->network;
    const int64_t together = training->options->accumulate;
    const int64_t batches = cnn_loader_batches(training->training_loader);
    const int64_t steps = (batches + together - 1) / together; /* of an epoch */
    cnn_status status =
        cnn_adamw_create(&training->optimizer, training->context, training->learning_rate);

    if (status == CNN_OK)
        status = cnn_optimizer_set_weight_decay(training->optimizer, network->weight_decay);
    if (status == CNN_OK)
        status = cnn_optimizer_set_clip_norm(training->optimizer, network->clip_norm);
    if (status == CNN_OK)
        status = training->schedule->set(training->optimizer, training->epochs * steps,
                                         (int64_t)(network->warmup_epochs * (double)steps));
    return status;
}

static cnn_status create_trainer(struct training *training)
{
    cnn_status status = cnn_trainer_create(&training->trainer, training->model, training->optimizer,
                                           CNN_SOFTMAX_CROSS_ENTROPY, training->batch);
    if (status == CNN_OK)
        status =
            cnn_trainer_set_label_smoothing(training->trainer, training->network->label_smoothing);
    if (status == CNN_OK)
        status = cnn_trainer_set_average(training->trainer, training->options->ema);
    if (status == CNN_OK)
        status = cnn_trainer_set_accumulation(training->trainer, training->options->accumulate);
    if (status == CNN_OK)
        status = cnn_trainer_set_patience(training->trainer, training->options->patience);
    if (status == CNN_OK)
        status = cnn_trainer_set_flip_averaging(training->trainer, training->options->flip_average);
    return status;
}

/* ---- Training ------------------------------------------------------------------------------ */

/* After an epoch: keeps the model, with the averaged weights if there are any, in its file if it is
 * the best.  Returns whether to go on. */
static bool end_epoch(struct training *training, const cnn_progress *progress)
{
    const double accuracy = cnn_progress_validation_accuracy(progress);
    const double loss = cnn_progress_validation_loss(progress);
    const bool better = cnn_trainer_best_epoch(training->trainer) == cnn_progress_epoch(progress);

    if (better) {
        if (!console_succeeded(cnn_model_save(training->model, training->options->output))) {
            training->save_failed = true;
            return false;
        }
        training->best = (struct best){cnn_progress_epoch(progress), accuracy, loss};
    }
    if (!training->options->quiet)
        progress_epoch(&training->display, progress, better ? "  best, saved" : "");
    return true;
}

/* What cnn_trainer_fit() calls after each step and each epoch; not 0 stops it. */
static int32_t on_progress(void *user, const cnn_progress *progress)
{
    struct training *training = user;

    if (cnn_progress_get_kind(progress) == CNN_PROGRESS_EPOCH)
        return end_epoch(training, progress) && !interrupt_seen() ? 0 : 1;
    if (!training->options->quiet)
        progress_step(&training->display, progress);
    return interrupt_seen() ? 1 : 0; /* also one that came before there was anything to cancel */
}

/* Trains until the last epoch, or until Ctrl-C.  An interrupted training is a success if there is a
 * best model by then. */
static bool fit(struct training *training)
{
    progress_start(&training->display);
    interrupt_cancels(training->trainer);
    const cnn_status status =
        cnn_trainer_fit(training->trainer, training->training_loader, training->validation_loader,
                        training->epochs, on_progress, training);
    interrupt_cancels(NULL);
    if (training->save_failed)
        return false;
    if (status != CNN_ERROR_CANCELLED)
        return console_succeeded(status);
    if (training->best.epoch == 0)
        console_error("interrupted before the first epoch ended; nothing was saved");
    return training->best.epoch > 0;
}

/* ---- The result ---------------------------------------------------------------------------- */

/* Measures the best model, which is the one in the file, on the test pictures. */
static bool test_best(const struct training *training)
{
    cnn_model *model = NULL;
    const bool done =
        console_succeeded(cnn_model_load(&model, training->context, training->options->output)) &&
        confusion_report(training->context, model, training->test_data,
                         training->options->flip_average);

    cnn_model_free(model);
    return done;
}

static void print_best(const struct training *training, bool interrupted)
{
    const struct best *best = &training->best;

    console_line("%sbest model: epoch %lld, validation accuracy %.4f, loss %.4f, saved in %s",
                 interrupted ? "interrupted; " : "", (long long)best->epoch, best->accuracy,
                 best->loss, training->options->output);
}

/* An interrupted training is a success, as it has a best model by now; it is tested no further. */
static bool report_result(const struct training *training)
{
    const bool interrupted = interrupt_seen();

    if (interrupted || training->test_data == NULL || !training->options->quiet)
        print_best(training, interrupted);
    if (interrupted || training->test_data == NULL || test_best(training))
        return true;
    if (interrupt_seen())
        print_best(training, true);
    return interrupt_seen();
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
    cnn_dataset_free(training->test_data);
    cnn_dataset_free(training->validation_data);
    cnn_dataset_free(training->training_data);
    cnn_context_free(training->context);
}

/* Everything that can be wrong before training is found out here. */
static bool prepare(struct training *training, const char *data)
{
    return console_succeeded(create_context(training)) &&
           console_succeeded(open_data(training, data)) &&
           network_create(&training->model, training->context, training->network, training->size,
                          training->training_data) &&
           (training->test_data == NULL ||
            confusion_same_classes(training->model, training->test_data, data)) &&
           console_succeeded(create_loaders(training)) &&
           console_succeeded(create_optimizer(training)) &&
           console_succeeded(create_trainer(training));
}

static bool train(struct training *training, const char *data)
{
    bool done = prepare(training, data);

    if (done && !training->options->quiet)
        print_plan(training);
    done = done && fit(training);
    free_trainer(training);
    done = done && report_result(training);
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

int command_train(const struct options *options)
{
    struct training training = {.options = options};

    interrupt_catch();
    /* Better to know now than after an hour of training. */
    if (!choose_recipe(&training) || !output_file_check(options->output))
        return EXIT_ERROR;
    const bool done = options->operand_count > 0 ? train(&training, options->operands[0])
                                                 : train_on_drawings(&training);
    return done ? EXIT_FINE : EXIT_ERROR;
}
