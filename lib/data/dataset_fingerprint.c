/* SPDX-License-Identifier: MIT
 * One number for what a dataset's samples are, by which a checkpoint knows its own. */
#include "cnn/dataset.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "data/dataset_internal.h"
#include "tensor/tensor_internal.h"

/* A number as eight bytes, the lowest first, on machines of either kind. */
static uint32_t add_number(uint32_t crc, int64_t number)
{
    unsigned char bytes[8];
    for (int32_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
    return cnni_crc32c(crc, bytes, sizeof bytes);
}

/* With its zero byte, so that "ab", "c" is not "a", "bc". */
static uint32_t add_text(uint32_t crc, const char *text)
{
    return cnni_crc32c(crc, text, strlen(text) + 1);
}

/* ---- Files --------------------------------------------------------------------------------- */

/* Two pictures of as many bytes seldom begin with the same 4 KiB, and 8,000 files are looked at in
 * 0.13 s, of which finding them takes 0.08. */
enum { START = 4096 };

/* Of one that cannot be read, that. */
static cnn_status add_file(uint32_t *crc, const cnn_dataset *dataset, const char *path,
                           const char *function)
{
    const struct cnni_source *source = dataset->source;
    unsigned char start[START];
    int64_t size = -1;
    ssize_t got = cnni_file_read_start(start, START, &size, path, source->root);
    if (got < 0 && cnni_file_status(errno) == CNN_ERROR_MEMORY)
        return cnni_file_fail(source->context, function, "open", path, errno);
    *crc = add_number(*crc, got < 0 ? -1 : size);
    *crc = cnni_crc32c(*crc, start, (size_t)CNNI_MAX(got, 0));
    return CNN_OK;
}

/* The name of a file is the same wherever the folder is and however it was named. */
static cnn_status add_files(uint32_t *crc, const cnn_dataset *dataset, const char *function)
{
    for (int64_t i = 0; i < dataset->count; i++) {
        const char *path = cnn_dataset_path(dataset, i);
        const char *below = path + dataset->source->root;
        *crc = add_text(*crc, below + strspn(below, "/"));
        CNNI_TRY(add_file(crc, dataset, path, function));
    }
    return CNN_OK;
}

/* ---- Samples in memory --------------------------------------------------------------------- */

/* As bytes, the lowest first, too. */
static uint32_t add_floats(uint32_t crc, const float *values, int64_t count)
{
    enum { PIECE = 256 };
    unsigned char bytes[4 * PIECE];
    for (int64_t at = 0; at < count; at += PIECE) {
        const int64_t piece = CNNI_MIN(count - at, PIECE);
        for (int64_t i = 0; i < piece; i++) {
            uint32_t word;
            memcpy(&word, values + at + i, sizeof word);
            for (int32_t j = 0; j < 4; j++)
                bytes[4 * i + j] = (unsigned char)(word >> (8 * j));
        }
        crc = cnni_crc32c(crc, bytes, 4 * (size_t)piece);
    }
    return crc;
}

static uint32_t add_rows(uint32_t crc, const cnn_dataset *dataset)
{
    const struct cnni_source *source = dataset->source;
    const int64_t size = source->h * source->w * source->c;
    crc = add_number(add_number(add_number(crc, source->h), source->w), source->c);
    for (int64_t i = 0; i < dataset->count; i++) {
        const int64_t at = cnni_dataset_member(dataset, i) * size;
        if (source->samples->dtype == CNN_UINT8)
            crc = cnni_crc32c(crc, (const uint8_t *)source->samples->data + at, (size_t)size);
        else
            crc = add_floats(crc, (const float *)source->samples->data + at, size);
    }
    return crc;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static cnn_status compute(uint32_t *fingerprint, const cnn_dataset *dataset, const char *function)
{
    const struct cnni_source *source = dataset->source;
    uint32_t crc = add_number(add_number(0, dataset->count), source->classes);
    for (int32_t k = 0; k < source->classes; k++)
        crc = add_text(crc, source->class_names.name[k]);
    for (int64_t i = 0; i < dataset->count; i++)
        crc = add_number(crc, cnn_dataset_label(dataset, i));
    if (source->paths.count > 0)
        CNNI_TRY(add_files(&crc, dataset, function));
    if (source->samples != NULL)
        crc = add_rows(crc, dataset);
    *fingerprint = crc;
    return CNN_OK;
}

/* Kept for the next checkpoint: a dataset does not change.  Where two threads compute it, both have
 * what the first one found. */
cnn_status cnni_dataset_fingerprint(uint32_t *fingerprint, const cnn_dataset *dataset,
                                    const char *function)
{
    _Atomic uint64_t *kept = &((cnn_dataset *)dataset)->fingerprint;
    uint64_t known = atomic_load(kept);
    if (known == 0) {
        CNNI_TRY(compute(fingerprint, dataset, function));
        if (atomic_compare_exchange_strong(kept, &known, CNNI_FINGERPRINT_KNOWN | *fingerprint))
            return CNN_OK;
    }
    *fingerprint = (uint32_t)known;
    return CNN_OK;
}

uint32_t cnn_dataset_fingerprint(const cnn_dataset *dataset)
{
    uint32_t fingerprint;
    if (dataset == NULL || cnni_dataset_fingerprint(&fingerprint, dataset, __func__) != CNN_OK)
        return 0;
    return fingerprint;
}
