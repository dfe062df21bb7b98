/* SPDX-License-Identifier: MIT
 * print_matrix CLASSES TIMES: a report's confusion matrix of classes of which each was taken TIMES
 * times for every other, which no model is bad enough for. */
#include "report_classes.h"

#include <stdio.h>
#include <stdlib.h>

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "print_matrix: %s\n", cnn_error_message());
    exit(EXIT_FAILURE);
}

/* A model that has nothing but names of classes. */
static cnn_model *name_classes(cnn_context *context, int32_t classes)
{
    const int64_t shape[] = {1};
    const char **names = calloc((size_t)classes, sizeof *names);
    cnn_model *model = NULL;

    for (int32_t i = 0; names != NULL && i < classes; i++)
        names[i] = "a name that is cut";
    check(cnn_model_create(&model, context, shape, 1));
    check(cnn_model_set_classes(model, names, classes));
    free(names);
    return model;
}

/* For each class: one sample that is taken for it of each class. */
static void add_samples(cnn_metrics *metrics, cnn_context *context, int32_t classes)
{
    const int64_t shape[] = {classes, classes};
    cnn_tensor *outputs = NULL;
    cnn_tensor *labels = NULL;

    check(cnn_tensor_create(&outputs, context, CNN_FLOAT32, shape, 2));
    check(cnn_tensor_create(&labels, context, CNN_INT32, shape, 1));
    float *scores = cnn_tensor_data(outputs); /* [classes][classes] */
    int32_t *label = cnn_tensor_data(labels); /* [classes] */
    for (int32_t i = 0; i < classes; i++) {
        for (int32_t k = 0; k < classes * classes; k++)
            scores[k] = k % classes == i ? 1.0f : 0.0f;
        for (int32_t k = 0; k < classes; k++)
            label[k] = k;
        check(cnn_metrics_add(metrics, outputs, labels));
    }
    cnn_tensor_free(labels);
    cnn_tensor_free(outputs);
}

int main(int argc, char **argv)
{
    const int32_t classes = argc == 3 ? (int32_t)strtol(argv[1], NULL, 10) : 0;
    const int32_t times = argc == 3 ? (int32_t)strtol(argv[2], NULL, 10) : 0;
    cnn_context *context = NULL;
    cnn_metrics *metrics = NULL;

    check(cnn_context_create(&context));
    check(cnn_metrics_create(&metrics, context, classes));
    cnn_model *model = name_classes(context, classes);
    for (int32_t i = 0; i < times; i++)
        add_samples(metrics, context, classes);
    classes_matrix(stdout, model, metrics);
    cnn_model_free(model);
    cnn_metrics_free(metrics);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
