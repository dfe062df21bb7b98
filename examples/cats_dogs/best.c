/* SPDX-License-Identifier: MIT
 * The trainer keeps the best weights, and checkpoints have them, so that a model that cannot be
 * saved after its epoch can be after any later one, or when the training is resumed. */
#include "best.h"

#include "console.h"

bool best_update(struct best *best, const cnn_trainer *trainer, const cnn_progress *progress)
{
    const int64_t epoch = cnn_progress_epoch(progress);

    if (cnn_trainer_best_epoch(trainer) != epoch)
        return false;
    best->epoch = epoch;
    best->accuracy = cnn_progress_validation_accuracy(progress);
    best->loss = cnn_progress_validation_loss(progress);
    return true;
}

bool best_is_saved(const struct best *best)
{
    return best->saved == best->epoch;
}

/* Saves what `model` has learnt as a model for pictures of the size that is to be predicted. */
static cnn_status save(const cnn_model *model, const struct options *options)
{
    const int64_t size = options->predict_size;
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *resized = NULL;
    cnn_status status = cnn_model_input_shape(shape, &rank, model);

    if (status == CNN_OK && shape[0] == size)
        return cnn_model_save(model, options->output);
    if (status == CNN_OK)
        status = cnn_model_create_resized(&resized, model, (int64_t[]){size, size, 3}, 3);
    if (status == CNN_OK)
        status = cnn_model_save(resized, options->output);
    cnn_model_free(resized);
    return status;
}

static cnn_status save_kept(const cnn_trainer *trainer, const struct options *options)
{
    cnn_model *model = NULL;
    cnn_status status = cnn_trainer_copy_best(&model, trainer);

    if (status == CNN_OK)
        status = save(model, options);
    cnn_model_free(model);
    return status;
}

bool best_save(struct best *best, const cnn_model *model, const cnn_trainer *trainer,
               const struct options *options)
{
    if (best_is_saved(best))
        return true;
    const cnn_status status = model != NULL ? save(model, options) : save_kept(trainer, options);

    if (status == CNN_OK)
        best->saved = best->epoch;
    return status == CNN_OK;
}

void best_try_to_save(struct best *best, const cnn_model *model, const cnn_trainer *trainer,
                      const struct options *options)
{
    const bool is_late = model == NULL && !best_is_saved(best);
    const bool is_saved = best_save(best, model, trainer, options);

    if (is_saved && is_late && !options->quiet)
        console_line("saved the best model until now, that of epoch %lld", (long long)best->epoch);
    if (is_saved || best->warned || cnn_trainer_epoch(trainer) > options->epochs)
        return;
    console_error("warning: %s; tried again after each epoch", console_library_reason());
    best->warned = true;
}
