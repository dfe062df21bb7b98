/* SPDX-License-Identifier: MIT
 * What can be wrong while a model is made is told with the option that it came from. */
#include "network.h"

#include "console.h"

#include <stdlib.h>

/* Gives the model the class names of the dataset, in the same order. */
static bool name_classes(cnn_model *model, const cnn_dataset *dataset)
{
    const int32_t count = cnn_dataset_class_count(dataset);
    const char **names = calloc((size_t)count, sizeof *names);

    if (names == NULL) {
        console_error("no memory for the names of %d classes", (int)count);
        return false;
    }
    for (int32_t i = 0; i < count; i++)
        names[i] = cnn_dataset_class_name(dataset, i);
    const bool named = console_succeeded(cnn_model_set_classes(model, names, count));
    free(names);
    return named;
}

static bool build(cnn_model *model, cnn_context *context, const struct network *network,
                  int64_t size, int32_t classes)
{
    const cnn_status status = network->build(model, context, classes);

    if (status != CNN_ERROR_SHAPE)
        return console_succeeded(status);
    console_error("--size %lld does not fit the network %s: %s", (long long)size, network->name,
                  console_library_reason());
    return false;
}

bool network_create(cnn_model **model, cnn_context *context, const struct network *network,
                    int64_t size, const cnn_dataset *dataset)
{
    const int64_t shape[] = {size, size, 3};

    return console_succeeded(cnn_model_create(model, context, shape, 3)) &&
           build(*model, context, network, size, cnn_dataset_class_count(dataset)) &&
           name_classes(*model, dataset);
}
