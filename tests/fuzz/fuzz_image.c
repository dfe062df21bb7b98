/* SPDX-License-Identifier: MIT
 * Fuzzes the decoding of pictures, whole and scaled, with limits that keep one input quick.  The
 * decoders of the system are not instrumented: this finds what our use of them does wrong. */
#include "cnn.h"
#include "fuzz/fuzz.h"

static void check_picture(cnn_tensor *image, cnn_status status, int32_t channels)
{
    if (status != CNN_OK) {
        fuzz_check(image == NULL && cnn_error_message()[0] != '\0');
        return;
    }
    fuzz_check(cnn_tensor_dtype(image) == CNN_UINT8 && cnn_tensor_rank(image) == 3);
    fuzz_check(cnn_tensor_dim(image, 2) == channels);
    cnn_tensor_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cnn_context *context;
    cnn_tensor *image;
    int32_t channels = size % 2 == 0 ? 3 : 1;
    fuzz_check(cnn_context_create_isolated(&context) == CNN_OK);
    cnn_context_set_threads(context, 1);
    cnn_context_set_limit(context, CNN_LIMIT_IMAGE_PIXELS, 1 << 18);
    cnn_context_set_limit(context, CNN_LIMIT_DECODER_BYTES, 1 << 24);
    cnn_context_set_limit(context, CNN_LIMIT_JPEG_SCANS, 20);
    cnn_status status = cnn_image_decode(&image, context, bytes, size, channels);
    check_picture(image, status, channels);
    status = cnn_image_decode_scaled(&image, context, bytes, size, channels, 16, 16);
    check_picture(image, status, channels);
    cnn_context_free(context);
    return 0;
}
