/* SPDX-License-Identifier: MIT
 * A network that has learned to see, taught to tell other things apart:
 *
 *     05_fine_tune DATA MODEL SIZE [WEIGHTS]
 *
 * DATA has one folder of JPEGs and PNGs per class.  WEIGHTS is a file of ResNet-18's weights, made
 * for any classes: torchvision's (networks/README.md says how to get it), or a MODEL that this
 * program wrote.  Without it ResNet-18 learns from nothing, which takes far more pictures and
 * epochs: try both.  SIZE is that of the pictures in pixels, 224 for torchvision's weights. */
#include "example.h"
#include "networks/networks.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 16, EPOCHS = 6 };

/* The layers of ResNet-18 before its blocks, and the head: the dense layer and the softmax. */
enum { STEM = 4, HEAD = 2 };

/* ResNet-18 with a new head: as many outputs as the dataset has classes. */
static cnn_model *create_network(cnn_context *context, const cnn_dataset *dataset, int64_t size)
{
    const int64_t input[] = {size, size, 3};
    const int32_t classes = cnn_dataset_class_count(dataset);
    const char **names = calloc((size_t)classes, sizeof *names);
    cnn_model *model = NULL;

    for (int32_t i = 0; names != NULL && i < classes; i++)
        names[i] = cnn_dataset_class_name(dataset, i);
    check(cnn_model_create(&model, context, input, 3));
    check(network_resnet18(model, context, classes));
    check(cnn_model_set_classes(model, names, classes));
    free(names);
    return model;
}

/* Loads all weights but the head's, and says how many there were. */
static void load_weights(cnn_model *model, cnn_context *context, const char *path)
{
    cnn_weights *weights = NULL;

    check(cnn_weights_create(&weights, context));
    check(cnn_weights_skip(weights, "fc."));
    check(cnn_model_load_weights(model, path, weights));
    printf("%d loaded, %d kept\n", (int)cnn_weights_count(weights, CNN_WEIGHTS_LOADED),
           (int)cnn_weights_count(weights, CNN_WEIGHTS_KEPT));
    cnn_weights_free(weights);
}

/* The stem sees edges and colours, which are the same everywhere: it stays as it is.  The blocks
 * move a little.  The head knows nothing yet and moves at the full rate. */
static void protect(cnn_model *model)
{
    check(cnn_model_set_trained(model, 0, STEM, 0));
    for (int32_t i = STEM; i < cnn_model_layer_count(model) - HEAD; i++)
        check(cnn_layer_set_learning_rate(cnn_model_layer(model, i), 0.1));
}

static cnn_optimizer *create_optimizer(cnn_context *context, const cnn_loader *loader)
{
    cnn_optimizer *optimizer = NULL;
    const int64_t steps = cnn_loader_batches(loader);

    check(cnn_adamw_create(&optimizer, context, 0.001));
    check(cnn_optimizer_set_warmup(optimizer, steps));
    check(cnn_optimizer_set_schedule_cosine(optimizer, EPOCHS * steps, 0.0));
    return optimizer;
}

/* Leaves the model with the weights of the epoch that was best on a fifth of the pictures. */
static void train(cnn_context *context, cnn_model *model, cnn_dataset *dataset)
{
    cnn_dataset *training = NULL, *validation = NULL;
    cnn_loader *training_loader = NULL, *validation_loader = NULL;
    cnn_trainer *trainer = NULL;

    check(cnn_dataset_split(&training, &validation, dataset, 0.2, 0));
    check(cnn_loader_create(&training_loader, training, model, BATCH));
    check(cnn_loader_set_shuffle(training_loader, 1, 0));
    check(cnn_loader_set_random_crop(training_loader, 0.6, 1.0, 4.0 / 3.0));
    check(cnn_loader_set_random_flip(training_loader, 0.5));
    check(cnn_loader_create(&validation_loader, validation, model, BATCH));
    cnn_optimizer *optimizer = create_optimizer(context, training_loader);
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    check(cnn_trainer_set_keep_best(trainer, 1));
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
    const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
    cnn_context *context = NULL;
    cnn_dataset *dataset = NULL;

    if (argc != 4 && argc != 5) {
        fprintf(stderr, "wanted: 05_fine_tune DATA MODEL SIZE [WEIGHTS]\n");
        return EXIT_FAILURE;
    }
    check(cnn_context_create(&context));
    check(cnn_dataset_open(&dataset, context, argv[1], CNN_TRAIN));
    cnn_model *model = create_network(context, dataset, atoi(argv[3]));
    check(cnn_model_set_normalization(model, mean, deviation, 3)); /* torchvision's */
    if (argc == 5) {
        load_weights(model, context, argv[4]);
        protect(model);
    }
    train(context, model, dataset);
    check(cnn_model_save(model, argv[2]));

    cnn_model_free(model);
    cnn_dataset_free(dataset);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
