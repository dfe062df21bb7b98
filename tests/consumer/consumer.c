/* SPDX-License-Identifier: MIT
 * The smallest user of an installed libcnn, compiled as C and as C++: makes a tensor and a layer,
 * runs it, and checks the result. */
#include <cnn.h>

#include <stdio.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, cnn_error_message());
    return 1;
}

static int relu_works(cnn_context *context)
{
    const int64_t shape[2] = {2, 3};
    cnn_tensor *x = NULL, *y = NULL;
    cnn_layer *layer = NULL;
    int works = cnn_tensor_create(&x, context, CNN_FLOAT32, shape, 2) == CNN_OK &&
                cnn_tensor_create(&y, context, CNN_FLOAT32, shape, 2) == CNN_OK &&
                cnn_tensor_fill(x, -1.5) == CNN_OK && cnn_tensor_fill(y, 7) == CNN_OK &&
                cnn_relu_create(&layer, context) == CNN_OK;
    if (works) {
        cnn_tensor *const inputs[1] = {x};
        works = cnn_layer_forward(layer, y, inputs, 1, 0) == CNN_OK &&
                *(const float *)cnn_tensor_const_data(y) == 0;
    }
    cnn_layer_free(layer);
    cnn_tensor_free(y);
    cnn_tensor_free(x);
    return works;
}

int main(void)
{
    cnn_context *context;
    if (cnn_version_number() !=
        CNN_VERSION_MAJOR * 10000 + CNN_VERSION_MINOR * 100 + CNN_VERSION_PATCH)
        return fail("the header and the library differ");
    if (cnn_context_create(&context) != CNN_OK)
        return fail("no context");
    int works = relu_works(context);
    cnn_context_free(context);
    return works ? 0 : fail("relu");
}
