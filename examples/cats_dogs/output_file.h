/* SPDX-License-Identifier: MIT
 * Where models and checkpoints are going to be written. */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

#include <stdbool.h>

/* Whether a model can be written to `path`, the value of `option`; says why, if not.  An existing
 * file is left alone. */
bool output_file_check(const char *option, const char *path);

#endif
