/* SPDX-License-Identifier: MIT
 * What is in a file that is about to be written to. */
#ifndef FILE_KIND_H
#define FILE_KIND_H

enum file_kind {
    NO_FILE, /* or an empty one, or what is no regular file: nothing that could be lost */
    MODEL_FILE,
    CHECKPOINT_FILE,
    TENSOR_FILE, /* safetensors, but neither of these, or damaged */
    LINES_FILE,  /* objects of JSON, as train --metrics writes them */
    PAGE_FILE,
    JPEG_FILE,
    PNG_FILE,
    OTHER_FILE,
    UNREADABLE_FILE
};

/* Looks into the file `path`: at its first bytes, and at those of libcnn with the library. */
enum file_kind file_kind_find(const char *path);

/* "a JPEG" */
const char *file_kind_name(enum file_kind kind);

#endif
