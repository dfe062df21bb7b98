/* SPDX-License-Identifier: MIT
 * Fuzzes the loading of weights into a small model, strictly and as far as they fit: a failure
 * changes nothing, every name has one outcome, and what was loaded saves to a file that loads to
 * the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "fuzz/fuzz.h"

/* [4][4][2] -> "conv" 2 of 3x3, flatten, "fc" 3: four parameters. */
enum { PARAMETERS = 4 };

static void add(cnn_model *model, cnn_layer *layer, const char *name)
{
    fuzz_check(cnn_layer_set_name(layer, name) == CNN_OK);
    fuzz_check(cnn_model_add(model, layer) == CNN_OK);
    cnn_layer_free(layer);
}

static cnn_model *make_model(cnn_context *context)
{
    cnn_model *model;
    cnn_layer *layer;
    fuzz_check(cnn_model_create(&model, context, (const int64_t[]){4, 4, 2}, 3) == CNN_OK);
    fuzz_check(cnn_conv2d_create(&layer, context, 2, 3, 3) == CNN_OK);
    add(model, layer, "conv");
    fuzz_check(cnn_flatten_create(&layer, context) == CNN_OK);
    add(model, layer, "flatten");
    fuzz_check(cnn_dense_create(&layer, context, 3) == CNN_OK);
    add(model, layer, "fc");
    return model;
}

static cnn_weights *make_weights(cnn_context *context)
{
    cnn_weights *weights;
    fuzz_check(cnn_weights_create(&weights, context) == CNN_OK);
    fuzz_check(cnn_weights_map_prefix(weights, "features.0.", "conv.") == CNN_OK);
    fuzz_check(cnn_weights_map(weights, "b", "fc.bias") == CNN_OK);
    return weights;
}

static cnn_tensor *save(const cnn_model *model)
{
    cnn_tensor *bytes;
    fuzz_check(cnn_model_save_weights_memory(&bytes, model, NULL) == CNN_OK);
    return bytes;
}

static int equal(const cnn_tensor *a, const cnn_tensor *b)
{
    return cnn_tensor_bytes(a) == cnn_tensor_bytes(b) &&
           memcmp(cnn_tensor_const_data(a), cnn_tensor_const_data(b), cnn_tensor_bytes(a)) == 0;
}

static void check_report(const cnn_weights *weights)
{
    int32_t total = 0, parameters = 0;
    for (int32_t i = CNN_WEIGHTS_MISSING; i <= CNN_WEIGHTS_LOADED; i++) {
        const int32_t count = cnn_weights_count(weights, i);
        total += count;
        if (i != CNN_WEIGHTS_UNEXPECTED && i != CNN_WEIGHTS_SKIPPED)
            parameters += count;
        for (int32_t j = 0; j < count; j++)
            fuzz_check(cnn_weights_name(weights, i, j) != NULL &&
                       cnn_weights_text(weights, i, j)[0] != '\0');
    }
    fuzz_check(parameters == (total == 0 ? 0 : PARAMETERS));
}

/* Loads into a new model; returns whether that succeeded. */
static int check_load(cnn_context *context, cnn_weights *weights, const void *bytes, size_t size)
{
    cnn_model *model = make_model(context), *other = make_model(context);
    cnn_tensor *before = save(model);
    const cnn_status status = cnn_model_load_weights_memory(model, bytes, size, weights);
    cnn_tensor *after = save(model);
    fuzz_check(status == CNN_OK || (equal(before, after) && cnn_error_message()[0] != '\0'));
    fuzz_check(cnn_model_load_weights_memory(other, cnn_tensor_data(after), cnn_tensor_bytes(after),
                                             NULL) == CNN_OK);
    cnn_tensor *again = save(other);
    fuzz_check(equal(after, again));
    check_report(weights);
    cnn_tensor_free(before);
    cnn_tensor_free(after);
    cnn_tensor_free(again);
    cnn_model_free(model);
    cnn_model_free(other);
    return status == CNN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cnn_context *context;
    fuzz_check(cnn_context_create_isolated(&context) == CNN_OK);
    cnn_context_set_threads(context, 1);
    cnn_weights *weights = make_weights(context);
    const int strictly = check_load(context, weights, bytes, size);
    fuzz_check(cnn_weights_set_strict(weights, 0) == CNN_OK);
    fuzz_check(check_load(context, weights, bytes, size) || !strictly);
    cnn_weights_free(weights);
    cnn_context_free(context);
    return 0;
}
