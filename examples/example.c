/* SPDX-License-Identifier: MIT
 * What several examples need.  Next: 01_tensor.c. */
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

void append(cnn_model *model, cnn_layer *layer)
{
    check(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

int32_t print_epoch(void *user, const cnn_progress *progress)
{
    (void)user;
    if (cnn_progress_get_kind(progress) == CNN_PROGRESS_EPOCH)
        printf("epoch %d  loss %.3f  accuracy %.3f  validation accuracy %.3f\n",
               (int)cnn_progress_epoch(progress), cnn_progress_loss(progress),
               cnn_progress_accuracy(progress), cnn_progress_validation_accuracy(progress));
    return 0;
}
