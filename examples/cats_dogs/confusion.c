/* SPDX-License-Identifier: MIT
 * How the counts are shown is in figures.c. */
#include "confusion.h"

#include "console.h"
#include "figures.h"
#include "interrupt.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 32, LIST_SIZE = 512 };

/* ---- Classes ------------------------------------------------------------------------------- */

static bool same_names(const cnn_model *model, const cnn_dataset *dataset)
{
    const int32_t count = cnn_model_class_count(model);

    if (cnn_dataset_class_count(dataset) != count)
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (strcmp(cnn_model_class_name(model, i), cnn_dataset_class_name(dataset, i)) != 0)
            return false;
    }
    return true;
}

/* Appends `name` to the list "cats, dogs", as far as there is room. */
static void list_name(char list[LIST_SIZE], const char *name)
{
    const size_t used = strlen(list);

    snprintf(list + used, LIST_SIZE - used, "%s%s", used > 0 ? ", " : "", name);
}

bool confusion_same_classes(const cnn_model *model, const cnn_dataset *dataset, const char *path)
{
    char found[LIST_SIZE] = "";
    char wanted[LIST_SIZE] = "";

    if (same_names(model, dataset))
        return true;
    for (int32_t i = 0; i < cnn_dataset_class_count(dataset); i++)
        list_name(found, cnn_dataset_class_name(dataset, i));
    for (int32_t i = 0; i < cnn_model_class_count(model); i++)
        list_name(wanted, cnn_model_class_name(model, i));
    console_error("%s: found the classes %s, wanted those of the model: %s", path, found, wanted);
    return false;
}

/* ---- Counting ------------------------------------------------------------------------------ */

static cnn_status add_batch(cnn_metrics *metrics, cnn_context *context, cnn_session *session,
                            const cnn_tensor *inputs, const cnn_tensor *labels)
{
    const int64_t shape[] = {cnn_tensor_count(labels), cnn_metrics_class_count(metrics)};
    cnn_tensor *outputs = NULL;
    cnn_status status = cnn_tensor_create(&outputs, context, CNN_FLOAT32, shape, 2);

    if (status == CNN_OK)
        status = cnn_session_run(session, &outputs, 1, &inputs, 1);
    if (status == CNN_OK)
        status = cnn_metrics_add(metrics, outputs, labels);
    cnn_tensor_free(outputs);
    return status;
}

/* Adds all pictures of `dataset`, or those before an interrupt. */
static cnn_status add_all(cnn_metrics *metrics, cnn_context *context, cnn_model *model,
                          cnn_dataset *dataset, bool flip)
{
    cnn_session *session = NULL;
    cnn_loader *loader = NULL;
    cnn_tensor *inputs = NULL;
    cnn_tensor *labels = NULL;
    cnn_status status = cnn_session_create(&session, model, BATCH);

    if (status == CNN_OK)
        status = cnn_session_set_flip_averaging(session, flip);
    if (status == CNN_OK)
        status = cnn_loader_create(&loader, dataset, model, BATCH);
    if (status == CNN_OK)
        status = cnn_loader_next(&inputs, &labels, loader);
    while (status == CNN_OK && inputs != NULL && !interrupt_seen()) {
        status = add_batch(metrics, context, session, inputs, labels);
        if (status == CNN_OK)
            status = cnn_loader_next(&inputs, &labels, loader);
    }
    cnn_loader_free(loader);
    cnn_session_free(session);
    return status;
}

/* Files of models do not say how they are to be asked: figures are compared by this line. */
static void print_title(const char *what, bool flip)
{
    console_line("measured on %s, each %s", what,
                 flip ? "averaged with its mirror image (--flip-average)"
                      : "as it is (--no-flip-average)");
}

bool confusion_report(double *accuracy, cnn_context *context, cnn_model *model,
                      cnn_dataset *dataset, const char *what, bool flip)
{
    cnn_metrics *metrics = NULL;
    const int32_t classes = cnn_model_class_count(model);
    const bool done = console_succeeded(cnn_metrics_create(&metrics, context, classes)) &&
                      console_succeeded(add_all(metrics, context, model, dataset, flip)) &&
                      !interrupt_seen();

    if (done) {
        print_title(what, flip);
        figures_print(metrics, model);
        if (accuracy != NULL)
            *accuracy = cnn_metrics_accuracy(metrics);
    }
    cnn_metrics_free(metrics);
    return done;
}
