/* SPDX-License-Identifier: MIT
 * Whole epochs: batches from a loader, steps, sums, and a callback that is told about them. */
#include "base/clock.h"
#include "base/error.h"
#include "model/checkpoint.h"
#include "model/progress.h"

/* One pass over a loader, and who is told. */
struct pass {
    cnn_trainer *trainer;
    cnn_loader *loader;
    bool training;
    struct cnni_tally *tally;
    cnn_progress *progress; /* NULL: nobody is told */
    cnn_progress_fn callback;
    void *user;
    const char *function;
};

/* ---- Passes ---- */

static cnn_status check_cancelled(const cnn_trainer *trainer, const char *function)
{
    if (!atomic_load(&trainer->cancelled))
        return CNN_OK;
    return cnni_fail(trainer->context, CNN_ERROR_CANCELLED, "%s: cancelled by cnn_trainer_cancel()",
                     function);
}

static cnn_status tell(const struct pass *pass, cnn_progress_kind kind)
{
    if (pass->progress == NULL || pass->callback == NULL)
        return CNN_OK;
    pass->progress->kind = kind;
    if (pass->callback(pass->user, pass->progress) == 0)
        return CNN_OK;
    return cnni_fail(pass->trainer->context, CNN_ERROR_CANCELLED,
                     "%s: stopped by the progress callback", pass->function);
}

/* Notes that the training goes on with batch number `batch` of the epoch. */
static void note_place(const struct pass *pass, int64_t batch)
{
    struct cnni_place *place = &pass->trainer->place;
    place->batch = batch;
    place->step = pass->progress->step;
    place->rate = pass->progress->learning_rate;
    place->tally = *pass->tally;
    place->steps = cnn_optimizer_steps(pass->trainer->optimizer);
}

/* An update was made, at that learning rate, with the batches before number `batch`. */
static cnn_status end_step(const struct pass *pass, double rate, int64_t batch)
{
    pass->progress->learning_rate = rate;
    pass->progress->step++;
    note_place(pass, batch);
    CNNI_TRY(tell(pass, CNN_PROGRESS_STEP));
    cnni_checkpoint_between(pass->trainer, false);
    return CNN_OK;
}

static cnn_status run_batch(const struct pass *pass, const cnn_tensor *inputs,
                            const cnn_tensor *labels)
{
    struct cnni_loss_result result;
    cnn_trainer *trainer = pass->trainer;
    double rate = pass->training ? cnn_optimizer_learning_rate(trainer->optimizer) : 0;
    CNNI_TRY(
        cnni_trainer_run(&result, trainer, &inputs, 1, &labels, 1, pass->training, pass->function));
    cnni_tally_add(pass->tally, &result, cnn_tensor_dim(inputs, 0));
    if (!pass->training)
        return tell(pass, CNN_PROGRESS_VALIDATION);
    return trainer->group.done > 0 ? CNN_OK : end_step(pass, rate, cnn_loader_batch(pass->loader));
}

/* The update of the last batches of an epoch, where they are too few for one of their own. */
static cnn_status finish_group(const struct pass *pass)
{
    cnn_trainer *trainer = pass->trainer;
    const double rate = cnn_optimizer_learning_rate(trainer->optimizer);
    if (!pass->training || trainer->group.done == 0)
        return CNN_OK;
    CNNI_TRY(cnni_trainer_finish_group(trainer, pass->function));
    return end_step(pass, rate, cnn_loader_batches(pass->loader));
}

static cnn_status run_batches(const struct pass *pass)
{
    for (;;) {
        cnn_tensor *inputs, *labels;
        CNNI_TRY(check_cancelled(pass->trainer, pass->function));
        CNNI_TRY(cnn_loader_next(&inputs, &labels, pass->loader));
        if (inputs == NULL)
            return finish_group(pass);
        CNNI_TRY(run_batch(pass, inputs, labels));
    }
}

/* From batch number `batch` on, with the sums of those before in the tally. */
static cnn_status run_pass(const struct pass *pass, int64_t epoch, int64_t batch)
{
    if (pass->progress != NULL)
        pass->progress->samples_total = cnn_loader_samples(pass->loader);
    CNNI_TRY(cnn_loader_start_at(pass->loader, epoch, batch));
    return run_batches(pass);
}

/* A pass that does not train, over the first epoch of the loader, which keeps its place: it may be
 * in the middle of another epoch. */
static cnn_status run_evaluation(const struct pass *pass)
{
    CNNI_TRY(cnni_trainer_show_average(pass->trainer, true, pass->function));
    const int64_t epoch = cnn_loader_epoch(pass->loader), batch = cnn_loader_batch(pass->loader);
    *pass->tally = (struct cnni_tally){0};
    const cnn_status status = run_pass(pass, 0, 0);
    (void)cnn_loader_start_at(pass->loader, epoch, batch);
    return status;
}

/* The place becomes the beginning of another epoch. */
static void begin_epoch(cnn_trainer *trainer, int64_t loader_epoch)
{
    struct cnni_place *place = &trainer->place;
    place->epoch++;
    place->loader_epoch = loader_epoch;
    place->batch = place->step = 0;
    place->tally = (struct cnni_tally){0};
}

/* The rest of the epoch that the trainer's place is in, which then is the next one. */
static cnn_status run_training(struct pass *pass, cnn_loader *training)
{
    cnn_trainer *trainer = pass->trainer;
    const struct cnni_place *place = &trainer->place;
    cnn_progress *progress = pass->progress;
    progress->epoch = place->epoch;
    progress->step = place->step;
    progress->steps = cnni_ceil_div(cnn_loader_batches(training), trainer->accumulation);
    progress->training = place->tally;
    progress->learning_rate = place->rate;
    pass->loader = training;
    pass->training = true;
    pass->tally = &progress->training;
    cnni_group_begin(trainer, cnn_loader_batch_size(training));
    const cnn_status status = run_pass(pass, place->loader_epoch, place->batch);
    cnni_group_drop(trainer);
    if (status != CNN_OK)
        (void)cnn_loader_start_at(training, place->loader_epoch, place->batch);
    return status;
}

static cnn_status validate_epoch(struct pass *pass)
{
    const cnn_progress *progress = pass->progress;
    CNNI_TRY(run_evaluation(pass));
    cnni_best_add(pass->trainer, progress->epoch, cnn_progress_validation_accuracy(progress),
                  cnn_progress_validation_loss(progress));
    return CNN_OK;
}

/* One epoch, or what is left of it, and its validation. */
static cnn_status run_epoch(struct pass *pass, cnn_loader *training, cnn_loader *validation)
{
    cnn_progress *progress = pass->progress;
    progress->began = cnni_seconds();
    progress->validation = (struct cnni_tally){0};
    CNNI_TRY(run_training(pass, training));
    if (validation != NULL) {
        pass->loader = validation;
        pass->training = false;
        pass->tally = &progress->validation;
        CNNI_TRY(validate_epoch(pass));
    }
    CNNI_TRY(cnni_trainer_show_average(pass->trainer, true, pass->function));
    progress->samples_total = progress->training.samples;
    begin_epoch(pass->trainer, cnn_loader_epoch(training));
    CNNI_TRY(tell(pass, CNN_PROGRESS_EPOCH));
    cnni_checkpoint_between(pass->trainer, true);
    return CNN_OK;
}

/* Whether the trainer can take what the loader gives, before anything is done. */
static cnn_status check_loader(const cnn_trainer *trainer, const cnn_loader *loader,
                               const char *function, const char *what)
{
    const struct cnni_shape *input = &trainer->plan->model->input;
    struct cnni_shape sample;
    char found[CNNI_SHAPE_TEXT], wanted[CNNI_SHAPE_TEXT];
    CNNI_TRY(cnn_loader_sample_shape(sample.dim, &sample.rank, loader));
    if (!cnni_shape_equal(&sample, input))
        return cnni_fail(trainer->context, CNN_ERROR_SHAPE,
                         "%s: %s has samples %s, the model takes %s", function, what,
                         cnni_shape_text(found, &sample), cnni_shape_text(wanted, input));
    if (cnn_loader_batch_size(loader) > trainer->plan->max_n)
        return cnni_fail(trainer->context, CNN_ERROR_SHAPE,
                         "%s: %s has batches of %lld samples, must have at most %lld", function,
                         what, (long long)cnn_loader_batch_size(loader),
                         (long long)trainer->plan->max_n);
    return cnni_loss_check_classes(&trainer->loss, cnn_loader_class_count(loader),
                                   cnn_loader_label_dtype(loader), function, what);
}

/* Where the first epoch begins: at the loader's, or, before any other step, where a checkpoint was
 * written. */
static cnn_status find_place(cnn_trainer *trainer, const cnn_loader *training, const char *function)
{
    const int64_t steps = cnn_optimizer_steps(trainer->optimizer);
    const bool goes_on = trainer->resumed && trainer->place.steps == steps;
    if (goes_on && trainer->place.loader != training)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: training is not the loader that cnn_trainer_resume() has put to its "
                         "place",
                         function);
    if (!goes_on) {
        trainer->place = (struct cnni_place){.loader = training, .steps = steps};
        trainer->best.epoch = 0;
        begin_epoch(trainer, cnn_loader_epoch(training));
    }
    trainer->resumed = false;
    return CNN_OK;
}

cnn_status cnni_trainer_check_idle(const cnn_trainer *trainer, const char *function)
{
    if (!trainer->fitting)
        return CNN_OK;
    return cnni_fail(trainer->context, CNN_ERROR_STATE, "%s: cnn_trainer_fit() is running",
                     function);
}

static cnn_status run_epochs(struct pass *pass, cnn_loader *training, cnn_loader *validation)
{
    cnn_trainer *trainer = pass->trainer;
    cnn_status status = CNN_OK;
    CNNI_TRY(find_place(trainer, training, pass->function));
    cnni_checkpoint_begin(trainer);
    while (status == CNN_OK && trainer->place.epoch <= pass->progress->epochs &&
           !cnni_best_gives_up(trainer, trainer->place.epoch - 1))
        status = run_epoch(pass, training, validation);
    if (status != CNN_OK)
        cnni_checkpoint_stopped(trainer);
    return status;
}

cnn_status cnn_trainer_fit(cnn_trainer *trainer, cnn_loader *training, cnn_loader *validation,
                           int64_t epochs, cnn_progress_fn progress, void *user)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (training == NULL)
        return cnni_fail_null(trainer->context, __func__, "training");
    if (epochs < 1)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: epochs is %lld, must be at least 1", __func__, (long long)epochs);
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    CNNI_TRY(check_loader(trainer, training, __func__, "training"));
    if (validation != NULL)
        CNNI_TRY(check_loader(trainer, validation, __func__, "validation"));
    CNNI_TRY(cnni_best_check(trainer, validation, __func__));
    atomic_store(&trainer->cancelled, false); /* what came before cancels nothing */
    cnn_progress state = {.epochs = epochs, .classes = cnni_loss_has_classes(&trainer->loss)};
    struct pass pass = {.trainer = trainer,
                        .progress = &state,
                        .callback = progress,
                        .user = user,
                        .function = __func__};
    trainer->fitting = true;
    const cnn_status status = run_epochs(&pass, training, validation);
    trainer->fitting = false;
    return cnni_best_end(trainer, status, __func__);
}

cnn_status cnn_trainer_evaluate(double *loss, double *right, cnn_trainer *trainer,
                                cnn_loader *loader)
{
    struct cnni_tally tally;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (loader == NULL)
        return cnni_fail_null(trainer->context, __func__, "loader");
    CNNI_TRY(check_loader(trainer, loader, __func__, "loader"));
    if (!trainer->fitting) /* in a callback, who wants to end the training is still to be heard */
        atomic_store(&trainer->cancelled, false);
    const struct pass pass = {
        .trainer = trainer, .loader = loader, .tally = &tally, .function = __func__};
    CNNI_TRY(run_evaluation(&pass));
    if (loss != NULL)
        *loss = cnni_tally_loss(&tally);
    if (right != NULL)
        *right = cnni_tally_accuracy(&tally, cnni_loss_has_classes(&trainer->loss));
    return CNN_OK;
}
