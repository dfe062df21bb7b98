/* SPDX-License-Identifier: MIT
 * One number for what a dataset's samples are, by which a checkpoint knows its own. */
#include "cnn/dataset.h"

#include <string.h>

#include "base/crc32c.h"
#include "data/dataset_internal.h"

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

/* Of a file, the same wherever the folder is and however it was named. */
static const char *path_below(const cnn_dataset *dataset, int64_t index)
{
    const char *path = cnn_dataset_path(dataset, index) + dataset->source->root;
    return path + strspn(path, "/");
}

uint32_t cnn_dataset_fingerprint(const cnn_dataset *dataset)
{
    if (dataset == NULL)
        return 0;
    const struct cnni_source *source = dataset->source;
    uint32_t crc = add_number(add_number(0, dataset->count), source->classes);
    for (int32_t k = 0; k < source->classes; k++)
        crc = add_text(crc, source->class_names.name[k]);
    for (int64_t i = 0; i < dataset->count; i++) {
        crc = add_number(crc, cnn_dataset_label(dataset, i));
        if (source->paths.count > 0)
            crc = add_text(crc, path_below(dataset, i));
    }
    return crc;
}
