/* SPDX-License-Identifier: MIT
 * The trainer keeps the best weights, and checkpoints have them, so that a model that cannot be
 * saved after its epoch can be after any later one, or when the training is resumed. */
#include "best.h"

#include "console.h"

bool best_is_saved(const struct best *best)
{
    return best->saved == best->epoch;
}

bool best_save(struct best *best, const cnn_trainer *trainer, const struct options *options)
{
    cnn_model *model = NULL;

    if (best_is_saved(best))
        return true;
    cnn_status status = cnn_trainer_copy_best(&model, trainer);
    if (status == CNN_OK)
        status = cnn_model_save(model, options->output);
    cnn_model_free(model);
    if (status == CNN_OK)
        best->saved = best->epoch;
    return status == CNN_OK;
}

void best_try_to_save(struct best *best, const cnn_trainer *trainer, const struct options *options,
                      int64_t epoch)
{
    const bool is_late = !best_is_saved(best) && best->epoch < epoch;
    const bool is_saved = best_save(best, trainer, options);

    if (is_saved && is_late && !options->quiet)
        console_line("saved the best model until now, that of epoch %lld", (long long)best->epoch);
    if (is_saved || best->warned || epoch >= options->epochs)
        return;
    console_error("warning: %s; tried again after each epoch", console_library_reason());
    best->warned = true;
}
