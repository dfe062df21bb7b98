/* SPDX-License-Identifier: MIT
 * Fuzzes the resuming of checkpoints.  The input is a row of edits, of four bytes each, of a good
 * one, so that seeds stay what they are when checkpoints get new members.  What is refused changes
 * nothing; what is resumed trains on, and its own checkpoint is resumed again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cnn.h"
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_repair.h"

enum { SAMPLES = 3, CLASSES = 2 };

/* A training of a few bytes. */
struct training {
    cnn_context *context;
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_loader *loader;
};

static void take(cnn_model *model, cnn_layer *layer)
{
    fuzz_check(cnn_model_add(model, layer) == CNN_OK);
    cnn_layer_free(layer);
}

static void make_model(struct training *training)
{
    cnn_layer *layer;
    fuzz_check(cnn_model_create(&training->model, training->context, (const int64_t[]){1, 2, 1},
                                3) == CNN_OK);
    fuzz_check(cnn_flatten_create(&layer, training->context) == CNN_OK);
    take(training->model, layer);
    fuzz_check(cnn_dropout_create(&layer, training->context, 0.5) == CNN_OK);
    take(training->model, layer);
    fuzz_check(cnn_dense_create(&layer, training->context, CLASSES) == CNN_OK);
    take(training->model, layer);
}

static void make_loader(struct training *training)
{
    cnn_dataset *dataset;
    cnn_tensor *samples, *labels;
    fuzz_check(cnn_tensor_create(&samples, training->context, CNN_FLOAT32,
                                 (const int64_t[]){SAMPLES, 1, 2, 1}, 4) == CNN_OK);
    fuzz_check(cnn_tensor_create(&labels, training->context, CNN_INT32, (const int64_t[]){SAMPLES},
                                 1) == CNN_OK);
    for (int32_t i = 0; i < SAMPLES; i++)
        ((float *)cnn_tensor_data(samples))[2 * i] = (float)i;
    fuzz_check(cnn_dataset_from_memory(&dataset, training->context, samples, labels, CLASSES) ==
               CNN_OK);
    fuzz_check(cnn_loader_create(&training->loader, dataset, training->model, 2) == CNN_OK);
    fuzz_check(cnn_loader_set_shuffle(training->loader, 1, 9) == CNN_OK);
    cnn_dataset_free(dataset);
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
}

static void training_open(struct training *training)
{
    fuzz_check(cnn_context_create_isolated(&training->context) == CNN_OK);
    cnn_context_set_threads(training->context, 1);
    make_model(training);
    make_loader(training);
    fuzz_check(cnn_adam_create(&training->optimizer, training->context, 0.1) == CNN_OK);
    fuzz_check(cnn_trainer_create(&training->trainer, training->model, training->optimizer,
                                  CNN_SOFTMAX_CROSS_ENTROPY, 2) == CNN_OK);
}

static void training_close(const struct training *training)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
    cnn_loader_free(training->loader);
    cnn_model_free(training->model);
    cnn_context_free(training->context);
}

/* At most an epoch and a bit, however many the checkpoint says are done. */
static int32_t stop_soon(void *user, const cnn_progress *progress)
{
    (void)progress;
    return ++*(int32_t *)user == 3;
}

static void train_on(struct training *training)
{
    int32_t calls = 0;
    const cnn_status status =
        cnn_trainer_fit(training->trainer, training->loader, NULL, INT64_MAX, stop_soon, &calls);
    fuzz_check(status == CNN_ERROR_CANCELLED);
}

/* ---- A good checkpoint, in the middle of an epoch ------------------------------------------- */

enum { MOST_BYTES = 1 << 16 };

static size_t make_good(uint8_t *bytes)
{
    char path[] = "/tmp/libcnn-fuzz-XXXXXX";
    struct training training;
    const int file = mkstemp(path);
    int32_t calls = 2;
    training_open(&training);
    fuzz_check(cnn_trainer_set_checkpoint(training.trainer, path, 0) == CNN_OK);
    fuzz_check(cnn_trainer_set_note(training.trainer, "a note") == CNN_OK);
    fuzz_check(cnn_trainer_fit(training.trainer, training.loader, NULL, 2, stop_soon, &calls) ==
               CNN_ERROR_CANCELLED);
    training_close(&training);
    close(file);
    FILE *written = fopen(path, "rb");
    const size_t size = fread(bytes, 1, MOST_BYTES, written);
    fuzz_check(size > 0 && size < MOST_BYTES);
    fclose(written);
    unlink(path);
    return size;
}

/* Edits: where, modulo the size, in two bytes; a byte to put there; and how. */
enum { REPLACE = 0, INSERT = 1, REMOVE = 2, CUT = 3 };

static size_t edit(uint8_t *bytes, size_t size, const uint8_t *edits, size_t count)
{
    for (; count >= 4 && size > 0; edits += 4, count -= 4) {
        const size_t at = (size_t)(edits[0] | edits[1] << 8) % size;
        const int32_t how = edits[3] % 8;
        if (how == INSERT && size < MOST_BYTES)
            memmove(bytes + at + 1, bytes + at, size++ - at);
        if (how == REMOVE)
            memmove(bytes + at, bytes + at + 1, --size - at);
        else if (how == CUT)
            size = at;
        else
            bytes[at] = edits[2];
    }
    return size;
}

/* ---- The target ----------------------------------------------------------------------------- */

static void check_resumed(struct training *training)
{
    char path[] = "/tmp/libcnn-fuzz-XXXXXX";
    const int file = mkstemp(path);
    fuzz_check(file >= 0);
    close(file);
    train_on(training);
    fuzz_check(cnn_trainer_save_checkpoint(training->trainer, training->loader, path) == CNN_OK);
    fuzz_check(cnn_trainer_resume(training->trainer, training->loader, path) == CNN_OK);
    unlink(path);
}

static void resume(const uint8_t *bytes, size_t size, int must)
{
    char path[64];
    struct training training;
    const int file = memfd_create("checkpoint", MFD_CLOEXEC);
    fuzz_check(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    training_open(&training);
    if (cnn_trainer_resume(training.trainer, training.loader, path) == CNN_OK) {
        check_resumed(&training);
    } else {
        fuzz_check(!must && cnn_error_message()[0] != '\0');
        fuzz_check(cnn_optimizer_steps(training.optimizer) == 0);
        train_on(&training);
    }
    training_close(&training);
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *edits, size_t count)
{
    static uint8_t good[MOST_BYTES], bytes[MOST_BYTES];
    static size_t good_size;
    if (good_size == 0)
        good_size = make_good(good);
    memcpy(bytes, good, good_size);
    const size_t size = edit(bytes, good_size, edits, count);
    fuzz_repair(bytes, size);
    resume(bytes, size, count < 4);
    return 0;
}
