/* SPDX-License-Identifier: MIT
 * Rows are what pictures are, columns what the network takes them for. */
#include "confusion.h"

#include "console.h"
#include "interrupt.h"

#include <stdio.h>
#include <stdlib.h>
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

int32_t most_probable(const float *probabilities, int32_t classes)
{
    int32_t best = 0;

    for (int32_t i = 1; i < classes; i++) {
        if (probabilities[i] > probabilities[best])
            best = i;
    }
    return best;
}

/* The place of a count in [actual][predicted]; of 50,000 classes it is beyond an int. */
static size_t cell(int32_t actual, int32_t predicted, int32_t classes)
{
    return (size_t)actual * (size_t)classes + (size_t)predicted;
}

static cnn_status count_batch(int64_t *counts, int32_t classes, cnn_context *context,
                              cnn_session *session, const cnn_tensor *inputs,
                              const cnn_tensor *labels)
{
    const int64_t shape[] = {cnn_tensor_count(labels), classes};
    const int32_t *label = cnn_tensor_const_data(labels);
    cnn_tensor *outputs = NULL;
    cnn_status status = cnn_tensor_create(&outputs, context, CNN_FLOAT32, shape, 2);

    if (status == CNN_OK)
        status = cnn_session_run(session, &outputs, 1, &inputs, 1);
    if (status == CNN_OK) {
        const float *probabilities = cnn_tensor_const_data(outputs); /* [n][classes] */
        for (int64_t i = 0; i < shape[0]; i++)
            counts[cell(label[i], most_probable(probabilities + i * classes, classes), classes)]++;
    }
    cnn_tensor_free(outputs);
    return status;
}

/* Counts all pictures of `dataset` into `counts`, [actual][predicted]. */
static cnn_status count_all(int64_t *counts, int32_t classes, cnn_context *context,
                            cnn_model *model, cnn_dataset *dataset, bool flip)
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
        status = count_batch(counts, classes, context, session, inputs, labels);
        if (status == CNN_OK)
            status = cnn_loader_next(&inputs, &labels, loader);
    }
    cnn_loader_free(loader);
    cnn_session_free(session);
    return status;
}

/* ---- Printing ------------------------------------------------------------------------------ */

/* The bytes of the longest class name, at least those of a count. */
static int column_width(const cnn_model *model, int32_t classes)
{
    size_t width = 6;

    for (int32_t i = 0; i < classes; i++) {
        const size_t length = strlen(cnn_model_class_name(model, i));
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_matrix(const int64_t *counts, const cnn_model *model, int32_t classes)
{
    const int width = column_width(model, classes);

    printf("%-*s  predicted\n%-*s", width, "", width, "actual");
    for (int32_t column = 0; column < classes; column++)
        printf("  %*s", width, cnn_model_class_name(model, column));
    printf("\n");
    for (int32_t row = 0; row < classes; row++) {
        printf("%-*s", width, cnn_model_class_name(model, row));
        for (int32_t column = 0; column < classes; column++)
            printf("  %*lld", width, (long long)counts[cell(row, column, classes)]);
        printf("\n");
    }
}

static void print_accuracy(const int64_t *counts, int32_t classes)
{
    long long right = 0;
    long long total = 0;

    for (int32_t row = 0; row < classes; row++) {
        for (int32_t column = 0; column < classes; column++)
            total += counts[cell(row, column, classes)];
        right += counts[cell(row, row, classes)];
    }
    printf("accuracy %.4f (%lld/%lld)\n", (double)right / (double)total, right, total);
}

bool confusion_report(cnn_context *context, cnn_model *model, cnn_dataset *dataset, bool flip)
{
    const int32_t classes = cnn_model_class_count(model);
    int64_t *counts = calloc((size_t)classes * (size_t)classes, sizeof *counts);
    bool done = false;

    if (counts == NULL)
        console_error("no memory for a table of %d x %d classes", (int)classes, (int)classes);
    else if (console_succeeded(count_all(counts, classes, context, model, dataset, flip)))
        done = true;
    done = done && !interrupt_seen();
    if (done) {
        print_matrix(counts, model, classes);
        print_accuracy(counts, classes);
    }
    free(counts);
    return done;
}
