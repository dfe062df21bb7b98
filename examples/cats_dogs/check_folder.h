/* SPDX-License-Identifier: MIT
 * The folder that is checked: its classes and files, also those that cnn_dataset_open() would
 * refuse or pass over. */
#ifndef CHECK_FOLDER_H
#define CHECK_FOLDER_H

#include "check_findings.h"
#include "check_picture.h"

#include <cnn.h>

/* Numbers of the parts. */
enum { TRAIN, VALIDATION, TEST, PARTS };

struct check_class {
    char *name;
    bool is_there[PARTS];
    int64_t files[PARTS];
};

struct check_file {
    char *path;
    int part, class; /* class: a number in check_folder.classes */
    struct picture picture;
};

/* All zero: empty. */
struct check_folder {
    const char *path;
    bool has[PARTS];             /* whether there is a folder for it, or pictures for TRAIN */
    struct check_class *classes; /* those of the training part in byte order, then others */
    int64_t class_count;
    struct check_file *files; /* what training would take for pictures, by part, class and name */
    int64_t file_count;
};

/* What the library calls a part, and that by name, "train". */
cnn_part part_number(int part);
const char *part_name(int part);

/* Finds all classes and files below `path`, and adds what is odd about them by name and place.
 * False, after a message, when there is no such folder or no memory; to be freed in any case. */
bool check_folder_read(struct check_folder *folder, struct findings *findings, const char *path);
void check_folder_free(struct check_folder *folder);

#endif
