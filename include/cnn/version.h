/* SPDX-License-Identifier: MIT
 * The version of the library: the single source for CMake, the SONAME and libcnn.pc. */
#ifndef CNN_VERSION_H
#define CNN_VERSION_H

#include "cnn/export.h"

CNN_BEGIN_DECLS

/* The version of this header.  A program compares it with what it runs against through the
 * functions below. */
#define CNN_VERSION_MAJOR 0
#define CNN_VERSION_MINOR 1
#define CNN_VERSION_PATCH 0

/* The number in the SONAME, libcnn.so.<ABI>.  0 promises nothing; 1 will hold for every 1.x. */
#define CNN_ABI_VERSION 0

/* The version of the running library as major * 10000 + minor * 100 + patch. */
CNN_API int32_t cnn_version_number(void);

/* The version of the running library as text, "0.1.0".  Borrowed for ever. */
CNN_API const char *cnn_version_string(void);

CNN_END_DECLS

#endif
