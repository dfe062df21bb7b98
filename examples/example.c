/* SPDX-License-Identifier: MIT
 * The examples' way to stop at the first failure.  Next: 01_tensor.c. */
#include "example.h"

#include <stdio.h>
#include <stdlib.h>

void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "%s: %s\n", cnn_status_name(status), cnn_error_message());
    exit(EXIT_FAILURE);
}
