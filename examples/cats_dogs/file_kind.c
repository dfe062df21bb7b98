/* SPDX-License-Identifier: MIT
 * Kinds of files by their first bytes. */
#include "file_kind.h"

#include <cnn.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[] = {
    [NO_FILE] = "nothing",
    [MODEL_FILE] = "a model",
    [CHECKPOINT_FILE] = "a checkpoint",
    [TENSOR_FILE] = "tensors that are no model of libcnn, or a damaged one",
    [LINES_FILE] = "lines of JSON",
    [PAGE_FILE] = "an HTML page",
    [JPEG_FILE] = "a JPEG",
    [PNG_FILE] = "a PNG",
    [OTHER_FILE] = "another file",
    [UNREADABLE_FILE] = "a file that cannot be read",
};

/* The first that fits holds. */
static const struct signature {
    enum file_kind kind;
    long place;
    size_t length;
    const char *bytes;
} signatures[] = {
    {TENSOR_FILE, 4, 5, "\0\0\0\0{"}, /* the length of a header, less than 4 GiB, and its begin */
    {LINES_FILE, 0, 2, "{\""},         {PAGE_FILE, 0, 14, "<!DOCTYPE html"},
    {JPEG_FILE, 0, 3, "\xff\xd8\xff"}, {PNG_FILE, 0, 4, "\x89PNG"},
};

enum { LONGEST_START = 16 };

static enum file_kind find_by_start(const char *path)
{
    char start[LONGEST_START] = "";
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return UNREADABLE_FILE;
    const size_t size = fread(start, 1, sizeof start, file);
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || size == 0)
        return failed ? UNREADABLE_FILE : NO_FILE;
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct signature *signature = &signatures[i];
        if (memcmp(start + signature->place, signature->bytes, signature->length) == 0)
            return signature->kind;
    }
    return OTHER_FILE;
}

/* A checkpoint also loads as a model. */
static enum file_kind find_by_library(const char *path)
{
    char note[CNN_NOTE_SIZE];
    cnn_context *context = NULL;
    cnn_model *model = NULL;
    enum file_kind kind = TENSOR_FILE;

    if (cnn_context_create(&context) == CNN_OK) {
        if (cnn_checkpoint_note(note, sizeof note, context, path) == CNN_OK)
            kind = CHECKPOINT_FILE;
        else if (cnn_model_load(&model, context, path) == CNN_OK)
            kind = MODEL_FILE;
    }
    cnn_model_free(model);
    cnn_context_free(context);
    return kind;
}

enum file_kind file_kind_find(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NO_FILE;
    const enum file_kind kind = find_by_start(path);
    return kind == TENSOR_FILE ? find_by_library(path) : kind;
}

const char *file_kind_name(enum file_kind kind)
{
    return names[kind];
}
