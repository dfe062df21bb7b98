/* SPDX-License-Identifier: MIT
 * From a folder of pictures to a trained classifier in a file:
 *
 *     04_folder DATA MODEL
 *
 * DATA has one folder of JPEGs and PNGs per class.  cats_dogs/ is the same as a whole program,
 * which also keeps the best epoch, measures it on test pictures, and can be interrupted. */
#include "example.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 64, BATCH = 32, EPOCHS = 20 };

/* Appends a 3x3 convolution, ReLU and 2x2 max-pooling. */
static void append_stage(cnn_model *model, cnn_context *context, int64_t filters)
{
    cnn_layer *layer = NULL;

    check(cnn_conv2d_create(&layer, context, filters, 3, 3));
    append(model, layer);
    check(cnn_relu_create(&layer, context));
    append(model, layer);
    check(cnn_maxpool2d_create(&layer, context, 2, 2));
    append(model, layer);
}

/* From a picture to the probability of each class, which have the names of their folders. */
static cnn_model *create_network(cnn_context *context, const cnn_dataset *dataset)
{
    const int64_t input[] = {SIZE, SIZE, 3};
    const int32_t classes = cnn_dataset_class_count(dataset);
    const char **names = calloc((size_t)classes, sizeof *names);
    cnn_model *model = NULL;
    cnn_layer *layer = NULL;

    for (int32_t i = 0; names != NULL && i < classes; i++)
        names[i] = cnn_dataset_class_name(dataset, i);
    check(cnn_model_create(&model, context, input, 3));
    check(cnn_model_set_classes(model, names, classes));
    for (int stage = 0; stage < 3; stage++)
        append_stage(model, context, 32);
    check(cnn_flatten_create(&layer, context));
    append(model, layer);
    check(cnn_dropout_create(&layer, context, 0.5));
    append(model, layer);
    check(cnn_dense_create(&layer, context, classes));
    append(model, layer);
    check(cnn_softmax_create(&layer, context));
    append(model, layer);
    free(names);
    return model;
}

static void train(cnn_context *context, cnn_model *model, cnn_dataset *dataset)
{
    cnn_dataset *training = NULL, *validation = NULL;
    cnn_loader *training_loader = NULL, *validation_loader = NULL;
    cnn_optimizer *optimizer = NULL;
    cnn_trainer *trainer = NULL;

    check(cnn_dataset_split(&training, &validation, dataset, 0.1, 0));
    check(cnn_loader_create(&training_loader, training, model, BATCH));
    check(cnn_loader_set_shuffle(training_loader, 1, 0));
    check(cnn_loader_set_random_crop(training_loader, 0.6, 1.0, 4.0 / 3.0));
    check(cnn_loader_set_random_flip(training_loader, 0.5));
    check(cnn_loader_create(&validation_loader, validation, model, BATCH));
    check(cnn_adam_create(&optimizer, context, 0.001));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    check(cnn_trainer_fit(trainer, training_loader, validation_loader, EPOCHS, print_epoch, NULL));

    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_loader_free(validation_loader);
    cnn_loader_free(training_loader);
    cnn_dataset_free(validation);
    cnn_dataset_free(training);
}

int main(int argc, char **argv)
{
    cnn_context *context = NULL;
    cnn_dataset *dataset = NULL;

    if (argc != 3) {
        fprintf(stderr, "wanted: 04_folder DATA MODEL\n");
        return EXIT_FAILURE;
    }
    check(cnn_context_create(&context));
    check(cnn_dataset_open(&dataset, context, argv[1], CNN_TRAIN));
    cnn_model *model = create_network(context, dataset);
    train(context, model, dataset);
    check(cnn_model_save(model, argv[2]));

    cnn_model_free(model);
    cnn_dataset_free(dataset);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
