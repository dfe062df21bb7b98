/* SPDX-License-Identifier: MIT
 * The version of the running library. */
#include "cnn/version.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

int32_t cnn_version_number(void)
{
    return CNN_VERSION_MAJOR * 10000 + CNN_VERSION_MINOR * 100 + CNN_VERSION_PATCH;
}

const char *cnn_version_string(void)
{
    return TEXT(CNN_VERSION_MAJOR) "." TEXT(CNN_VERSION_MINOR) "." TEXT(CNN_VERSION_PATCH);
}
