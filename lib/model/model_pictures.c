/* SPDX-License-Identifier: MIT
 * What makes a model a classifier of pictures: class names, normalisation, and the way from a
 * decoded picture to an input. */
#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cnn/image.h"
#include "model/model_internal.h"
#include "ops/op_normalize.h"

#include <math.h>
#include <string.h>

/* ---- Classes ---- */

static cnn_status copy_names(char **copies, cnn_context *context, const char *const *names,
                             int32_t count, const char *function)
{
    for (int32_t i = 0; i < count; i++) {
        char shown[CNNI_SHOW_SIZE];
        if (names[i] == NULL)
            return cnni_fail_null(context, function, "a name");
        if (!cnni_utf8_is_name(names[i]))
            return cnni_fail(
                context, CNN_ERROR_INVALID,
                "%s: name %d is \"%s\", must be 1 to 255 bytes of UTF-8 without control "
                "characters",
                function, i, cnni_show_bytes(shown, sizeof shown, names[i], strlen(names[i])));
        CNNI_TRY(cnni_copy_text(&copies[i], context, names[i], function));
    }
    return CNN_OK;
}

cnn_status cnni_model_set_classes(cnn_model *model, const char *const *names, int32_t count,
                                  const char *function)
{
    char **copies;
    if (model == NULL)
        return cnni_fail_null(NULL, function, "model");
    if (names == NULL)
        return cnni_fail_null(model->context, function, "names");
    if (count < 1)
        return cnni_fail(model->context, CNN_ERROR_INVALID, "%s: count is %d, must be at least 1",
                         function, count);
    CNNI_TRY(cnni_check_limit(model->context, CNN_LIMIT_CLASSES, count, function, "count"));
    CNNI_TRY(cnni_alloc_zero(&copies, model->context, (size_t)count, sizeof *copies, function));
    cnn_status status = copy_names(copies, model->context, names, count, function);
    if (status != CNN_OK) {
        cnni_free_texts(model->context, copies, count);
        return status;
    }
    cnni_free_texts(model->context, model->classes, model->class_count);
    model->classes = copies;
    model->class_count = count;
    return CNN_OK;
}

cnn_status cnn_model_set_classes(cnn_model *model, const char *const *names, int32_t count)
{
    return cnni_model_set_classes(model, names, count, __func__);
}

int32_t cnn_model_class_count(const cnn_model *model)
{
    return model == NULL ? 0 : model->class_count;
}

const char *cnn_model_class_name(const cnn_model *model, int32_t index)
{
    return index >= 0 && index < cnn_model_class_count(model) ? model->classes[index] : NULL;
}

/* ---- Normalisation ---- */

int32_t cnni_model_channels(const cnn_model *model)
{
    int64_t channels = model->input.rank == 3 ? model->input.dim[2] : 0;
    return channels <= INT32_MAX / 2 ? (int32_t)channels : 0;
}

static cnn_status check_channels(const cnn_model *model, const float *mean, const float *deviation,
                                 int32_t channels, const char *function)
{
    char text[CNNI_SHAPE_TEXT];
    if (model == NULL)
        return cnni_fail_null(NULL, function, "model");
    if (mean == NULL || deviation == NULL)
        return cnni_fail_null(model->context, function, mean == NULL ? "mean" : "deviation");
    if (channels < 1 || channels != cnni_model_channels(model))
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: channels is %d, the model's input is %s", function, channels,
                         cnni_shape_text(text, &model->input));
    return CNN_OK;
}

cnn_status cnn_model_set_normalization(cnn_model *model, const float *mean, const float *deviation,
                                       int32_t channels)
{
    CNNI_TRY(check_channels(model, mean, deviation, channels, __func__));
    for (int32_t i = 0; i < channels; i++)
        if (!isfinite(mean[i]) || !isfinite(deviation[i]) || deviation[i] <= 0)
            return cnni_fail(
                model->context, CNN_ERROR_INVALID,
                "%s: mean[%d] is %g and deviation[%d] %g, must be finite and the deviation "
                "above 0",
                __func__, i, (double)mean[i], i, (double)deviation[i]);
    memcpy(model->mean, mean, (size_t)channels * sizeof *mean);
    memcpy(model->deviation, deviation, (size_t)channels * sizeof *deviation);
    return CNN_OK;
}

cnn_status cnn_model_normalization(float *mean, float *deviation, const cnn_model *model,
                                   int32_t channels)
{
    CNNI_TRY(check_channels(model, mean, deviation, channels, __func__));
    memcpy(mean, model->mean, (size_t)channels * sizeof *mean);
    memcpy(deviation, model->deviation, (size_t)channels * sizeof *deviation);
    return CNN_OK;
}

/* ---- One picture ---- */

static cnn_status check_picture(const cnn_model *model, const cnn_tensor *inputs, int64_t row,
                                const cnn_tensor *image, const char *function)
{
    char text[CNNI_SHAPE_TEXT];
    int64_t n;
    if (model == NULL)
        return cnni_fail_null(NULL, function, "model");
    if (image == NULL)
        return cnni_fail_null(model->context, function, "image");
    int64_t channels = cnni_model_channels(model);
    if (channels < 1 || channels > CNNI_NORMALIZE_CHANNELS)
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: the model's input is %s, no picture of 1 to %d channels", function,
                         cnni_shape_text(text, &model->input), CNNI_NORMALIZE_CHANNELS);
    CNNI_TRY(cnni_tensor_check_batch(&n, model->context, inputs, CNN_FLOAT32, &model->input,
                                     INT64_MAX, function, "inputs"));
    if (row < 0 || row >= n)
        return cnni_fail(model->context, CNN_ERROR_INVALID, "%s: row is %lld, inputs has %lld rows",
                         function, (long long)row, (long long)n);
    if (image->dtype != CNN_UINT8 || image->shape.rank != 3 || image->shape.dim[2] != channels)
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: image is %s %s, must be uint8 [h][w][%lld] for this model", function,
                         cnn_dtype_name(image->dtype), cnni_shape_text(text, &image->shape),
                         (long long)channels);
    return CNN_OK;
}

cnn_status cnn_model_prepare_image(const cnn_model *model, cnn_tensor *inputs, int64_t row,
                                   const cnn_tensor *image)
{
    struct cnni_normalization normalization;
    cnn_tensor *resized;
    CNNI_TRY(check_picture(model, inputs, row, image, __func__));
    CNNI_TRY(
        cnni_tensor_create(&resized, model->context, CNN_UINT8, model->input.dim, 3, __func__));
    cnn_status status = cnn_image_resize(resized, image);
    if (status == CNN_OK) {
        int64_t pixels = model->input.dim[0] * model->input.dim[1];
        int32_t channels = cnni_model_channels(model);
        cnni_normalization_set(&normalization, model->mean, model->deviation, channels);
        cnni_normalize((float *)inputs->data + row * pixels * channels, &normalization,
                       resized->data, pixels);
    }
    cnn_tensor_free(resized);
    return status;
}
