/* SPDX-License-Identifier: MIT
 * Fuzzes the loading of models.  The header's checksum is put right first, or no mutant would come
 * far.  What loads must save to a file that loads again, to the same bytes, and small models
 * predict. */
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_repair.h"

enum { MOST_ELEMENTS = 100000 };

/* Elements of a tensor of `shape`, [1] in front; more than MOST_ELEMENTS for any larger number. */
static int64_t count_elements(const int64_t *shape, int32_t rank)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        if (count <= MOST_ELEMENTS)
            count = shape[i] <= MOST_ELEMENTS ? count * shape[i] : MOST_ELEMENTS + 1;
    return count;
}

static int is_small(const cnn_model *model)
{
    int64_t shape[CNN_MAX_RANK], count = cnn_model_parameters(model);
    int32_t rank;
    cnn_model_input_shape(shape, &rank, model);
    count += count_elements(shape, rank);
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        cnn_model_layer_shape(shape, &rank, model, i);
        count += count_elements(shape, rank);
    }
    return count <= MOST_ELEMENTS;
}

static void predict(cnn_context *context, cnn_model *model)
{
    int64_t input_shape[CNN_MAX_RANK + 1] = {1}, output_shape[CNN_MAX_RANK + 1] = {1};
    int32_t input_rank, output_rank;
    cnn_tensor *input = NULL, *output = NULL;
    cnn_session *session = NULL;
    cnn_model_input_shape(input_shape + 1, &input_rank, model);
    cnn_model_output_shape(output_shape + 1, &output_rank, model);
    if (cnn_session_create(&session, model, 1) == CNN_OK &&
        cnn_tensor_create(&input, context, CNN_FLOAT32, input_shape, input_rank + 1) == CNN_OK &&
        cnn_tensor_create(&output, context, CNN_FLOAT32, output_shape, output_rank + 1) == CNN_OK) {
        const cnn_tensor *read = input;
        fuzz_check(cnn_session_run(session, &output, 1, &read, 1) == CNN_OK);
    }
    cnn_session_free(session);
    cnn_tensor_free(input);
    cnn_tensor_free(output);
}

static void check_round_trip(cnn_context *context, const cnn_model *model)
{
    cnn_tensor *first, *second;
    cnn_model *loaded;
    fuzz_check(cnn_model_save_memory(&first, model) == CNN_OK);
    fuzz_check(cnn_model_load_memory(&loaded, context, cnn_tensor_data(first),
                                     cnn_tensor_bytes(first)) == CNN_OK);
    fuzz_check(cnn_model_save_memory(&second, loaded) == CNN_OK);
    fuzz_check(cnn_tensor_bytes(first) == cnn_tensor_bytes(second));
    fuzz_check(memcmp(cnn_tensor_data(first), cnn_tensor_data(second), cnn_tensor_bytes(first)) ==
               0);
    cnn_model_free(loaded);
    cnn_tensor_free(first);
    cnn_tensor_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cnn_context *context;
    cnn_model *model;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, bytes, size);
    fuzz_repair(copy, size);
    fuzz_check(cnn_context_create_isolated(&context) == CNN_OK);
    cnn_context_set_threads(context, 1);
    if (cnn_model_load_memory(&model, context, copy, size) == CNN_OK) {
        check_round_trip(context, model);
        if (is_small(model))
            predict(context, model);
    } else {
        fuzz_check(model == NULL && cnn_error_message()[0] != '\0');
    }
    cnn_model_free(model);
    cnn_context_free(context);
    free(copy);
    return 0;
}
