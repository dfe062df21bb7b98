/* SPDX-License-Identifier: MIT
 * Handles, errors and ownership, shown on tensors.  Nothing is trained here: that is 02_xor.c.
 *
 * Three habits carry through the whole library: a call that can fail returns a status and explains
 * itself through cnn_error_message(); a failed call leaves every handle as it was; and each create
 * is matched by one free, in any order. */
#include "example.h"

#include <stdio.h>

/* Prints a matrix of floats, one row a line. */
static void print_matrix(const char *title, const cnn_tensor *matrix)
{
    const float *values = cnn_tensor_const_data(matrix);
    const int64_t rows = cnn_tensor_dim(matrix, 0);
    const int64_t columns = cnn_tensor_dim(matrix, 1);

    printf("%s, %d x %d:\n", title, (int)rows, (int)columns);
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < columns; column++)
            printf(" %5.1f", values[row * columns + column]);
        printf("\n");
    }
}

/* The library tells when it no longer uses memory that it has borrowed. */
static void memory_released(void *user, void *data)
{
    (void)data;
    printf("the library has let go of %s\n", (const char *)user);
}

/* A failure is a status and one line of text, and changes nothing. */
static void show_an_error(cnn_tensor *matrix)
{
    const int64_t impossible[] = {4, 2};
    const cnn_status status = cnn_tensor_reshape(matrix, impossible, 2);

    printf("6 elements as 4 x 2? %s\n  %s\n", cnn_status_name(status), cnn_error_message());
    print_matrix("still as before", matrix);
}

int main(void)
{
    char name[] = "the array";
    float numbers[] = {-2.0f, -1.0f, 0.0f, 1.0f, 2.0f, 3.0f};
    const int64_t shape[] = {2, 3};
    const int64_t turned[] = {3, 2};
    cnn_context *context = NULL;
    cnn_tensor *borrowed = NULL;
    cnn_tensor *owned = NULL;
    cnn_layer *relu = NULL;

    /* A context holds what would otherwise be global: threads, kernels, memory, the random seed. */
    check(cnn_context_create(&context));

    /* One tensor over memory of ours, without a copy; one with memory of its own, all zeros. */
    check(
        cnn_tensor_wrap(&borrowed, context, CNN_FLOAT32, shape, 2, numbers, memory_released, name));
    check(cnn_tensor_create(&owned, context, CNN_FLOAT32, shape, 2));

    /* Any layer can be run on its own. */
    check(cnn_relu_create(&relu, context));
    check(cnn_layer_forward(relu, owned, &borrowed, 1, 0));
    print_matrix("input", borrowed);
    print_matrix("relu(input)", owned);

    check(cnn_tensor_reshape(owned, turned, 2));
    print_matrix("the same in another shape", owned);
    show_an_error(owned);

    /* Handles keep alive what they need, so that the order of freeing does not matter. */
    cnn_context_free(context);
    cnn_tensor_free(borrowed);
    cnn_layer_free(relu);
    cnn_tensor_free(owned);
    return 0;
}
