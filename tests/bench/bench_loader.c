/* SPDX-License-Identifier: MIT
 * bench_loader FOLDER [THREADS] [EPOCHS]: how well loading hides behind training.  Trains the
 * classic network on a folder of pictures, without and then with a cache, and prints for each epoch
 * the wall time, the processor time of training and of preparing samples, their sum divided by the
 * threads, which no epoch can beat, the ratio of the two, and the share of the time that training
 * waited.  To be run on a machine with nothing else to do, THREADS (default 2) of whose cores it
 * uses. */
#include <cnn.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIZE = 64, BATCH = 32 };

static cnn_context *context;
static cnn_model *model;
static cnn_trainer *trainer;

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "bench_loader: %s\n", cnn_error_message());
    exit(EXIT_FAILURE);
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Adds the layer just created, and gives up its reference. */
static void add(cnn_status created, cnn_layer **layer)
{
    check(created);
    check(cnn_model_add(model, *layer));
    cnn_layer_free(*layer);
}

static void make_model(int32_t classes)
{
    const int64_t shape[] = {SIZE, SIZE, 3};
    cnn_layer *layer;
    check(cnn_model_create(&model, context, shape, 3));
    for (int32_t block = 0; block < 2; block++) {
        add(cnn_conv2d_create(&layer, context, 32, 3, 3), &layer);
        add(cnn_relu_create(&layer, context), &layer);
        add(cnn_maxpool2d_create(&layer, context, 2, 2), &layer);
    }
    add(cnn_flatten_create(&layer, context), &layer);
    add(cnn_dense_create(&layer, context, 128), &layer);
    add(cnn_relu_create(&layer, context), &layer);
    add(cnn_dropout_create(&layer, context, 0.5), &layer);
    add(cnn_dense_create(&layer, context, classes), &layer);
    add(cnn_softmax_create(&layer, context), &layer);
}

static void run_epoch(cnn_loader *loader, const char *name, int32_t threads)
{
    double wait = cnn_loader_wait_seconds(loader), work = cnn_loader_work_seconds(loader);
    double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(cnn_trainer_fit(trainer, loader, NULL, 1, NULL, NULL));
    wall = seconds(CLOCK_MONOTONIC) - wall;
    processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
    wait = cnn_loader_wait_seconds(loader) - wait;
    work = cnn_loader_work_seconds(loader) - work;
    printf("%-12s wall %6.2f s, training %6.2f s + samples %5.2f s = %d x %6.2f s, ratio %.3f, "
           "waited %.2f %%\n",
           name, wall, processor - work, work, threads, processor / threads,
           wall * threads / processor, 100 * wait / wall);
    fflush(stdout);
}

static void run(cnn_dataset *dataset, size_t cache, int32_t threads, int32_t epochs)
{
    cnn_loader *loader;
    check(cnn_loader_create(&loader, dataset, model, BATCH));
    check(cnn_loader_set_shuffle(loader, 1, 1));
    check(cnn_loader_set_random_flip(loader, 0.5));
    check(cnn_loader_set_cache(loader, cache));
    for (int32_t i = 0; i < epochs; i++)
        run_epoch(loader, cache == 0 ? "no cache" : i == 0 ? "filling" : "cached", threads);
    cnn_loader_free(loader);
}

int main(int count, char **arguments)
{
    cnn_optimizer *optimizer;
    cnn_dataset *dataset;
    int32_t threads = count > 2 ? atoi(arguments[2]) : 2;
    int32_t epochs = count > 3 ? atoi(arguments[3]) : 3;
    if (count < 2) {
        fprintf(stderr, "usage: bench_loader FOLDER [THREADS] [EPOCHS]\n");
        return EXIT_FAILURE;
    }
    check(cnn_context_create(&context));
    check(cnn_context_set_threads(context, threads));
    check(cnn_dataset_open(&dataset, context, arguments[1], CNN_TRAIN));
    make_model(cnn_dataset_class_count(dataset));
    check(cnn_adam_create(&optimizer, context, 0.001));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    run(dataset, 0, threads, epochs);
    run(dataset, (size_t)1 << 30, threads, epochs);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_dataset_free(dataset);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
