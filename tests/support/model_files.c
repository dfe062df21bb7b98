/* SPDX-License-Identifier: MIT
 * Model files as bytes. */
#include "support/model_files.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/networks.h"

cnn_model *model_small(cnn_context *context)
{
    cnn_model *model;
    cnn_layer *layer;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){2}, 1));
    EXPECT_OK(cnn_dense_create(&layer, context, 2));
    model_take(model, layer);
    return model;
}

char *model_bytes(const cnn_model *model, size_t *size)
{
    cnn_tensor *tensor;
    EXPECT_OK(cnn_model_save_memory(&tensor, model));
    *size = cnn_tensor_bytes(tensor);
    char *bytes = malloc(*size);
    memcpy(bytes, cnn_tensor_const_data(tensor), *size);
    cnn_tensor_free(tensor);
    return bytes;
}

cnn_status model_from_bytes(cnn_model **model, cnn_context *context, const char *bytes, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, bytes, size);
    cnn_status status = cnn_model_load_memory(model, context, copy, size);
    free(copy);
    return status;
}

void expect_damaged(cnn_context *context, const char *bytes, size_t size, size_t place)
{
    cnn_model *model;
    cnn_status status = model_from_bytes(&model, context, bytes, size);
    ck_assert_msg(status == CNN_ERROR_FORMAT, "%zu: %s %s", place, cnn_status_name(status),
                  cnn_error_message());
    ck_assert_ptr_null(model);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "cnn_model_load_memory: bytes: "));
    ck_assert_ptr_null(strchr(cnn_error_message(), '\n'));
}
