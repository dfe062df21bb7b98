/* SPDX-License-Identifier: MIT
 * The best model of a training that is resumed: what the checkpoint keeps, compared with what is in
 * the file. */
#include "best.h"

#include "console.h"

#include <string.h>

static bool same_bytes(const cnn_tensor *a, const cnn_tensor *b)
{
    const size_t size = cnn_tensor_bytes(a);

    return size == cnn_tensor_bytes(b) &&
           memcmp(cnn_tensor_const_data(a), cnn_tensor_const_data(b), size) == 0;
}

/* Gives `model` the weights that are in `file`, and tells whether it had them.  Fails where that is
 * another network. */
static cnn_status take_weights(bool *same, cnn_model *model, const char *file)
{
    cnn_tensor *before = NULL, *after = NULL;
    cnn_status status = cnn_model_save_memory(&before, model);

    if (status == CNN_OK)
        status = cnn_model_load_weights(model, file, NULL);
    if (status == CNN_OK)
        status = cnn_model_save_memory(&after, model);
    *same = status == CNN_OK && same_bytes(before, after);
    cnn_tensor_free(after);
    cnn_tensor_free(before);
    return status;
}

static bool same_classes(const cnn_model *a, const cnn_model *b)
{
    const int32_t count = cnn_model_class_count(a);

    for (int32_t i = 0; i < count && count == cnn_model_class_count(b); i++) {
        if (strcmp(cnn_model_class_name(a, i), cnn_model_class_name(b, i)) != 0)
            return false;
    }
    return count == cnn_model_class_count(b);
}

/* Compares the model `found` of the file with the one `kept`, which is changed. */
static bool compare(struct best *best, const cnn_model *found, cnn_model *kept,
                    const struct options *options)
{
    bool same;
    const char *difference = NULL;

    if (take_weights(&same, kept, options->output) != CNN_OK)
        difference = console_library_reason();
    else if (!same_classes(found, kept))
        difference = "has other classes";
    else if (!same)
        best->saved = 0;
    if (difference != NULL)
        console_error("--output %s: %s; wanted a model of the training in %s, or no file",
                      options->output, difference, options->resume);
    return difference == NULL;
}

bool best_find(struct best *best, const cnn_trainer *trainer, const struct options *options)
{
    cnn_context *context = NULL;
    cnn_model *found = NULL, *kept = NULL;
    bool fits = true;

    if (best->epoch == 0) /* a model that is there is older than the training */
        return true;
    if (cnn_context_create(&context) != CNN_OK ||
        cnn_model_load(&found, context, options->output) != CNN_OK)
        best->saved = 0; /* no file: outputs_check_training() has refused any other */
    else
        fits = console_succeeded(cnn_trainer_copy_best(&kept, trainer)) &&
               compare(best, found, kept, options);
    cnn_model_free(kept);
    cnn_model_free(found);
    cnn_context_free(context);
    return fits;
}
