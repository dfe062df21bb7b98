/* SPDX-License-Identifier: MIT
 * make_scorer FILE CAT DOG [softmax]: a model of 16 x 16 pictures that says CAT and DOG of each, as
 * it comes from a training elsewhere that has the softmax in its loss; or the softmax of both. */
#include "net.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "make_scorer: %s\n", cnn_error_message());
    exit(EXIT_FAILURE);
}

/* Flatten, dense and, if it is wanted, softmax. */
static cnn_model *create_network(cnn_context *context, bool softmax)
{
    const int64_t shape[] = {16, 16, 3};
    const char *const classes[] = {"cats", "dogs"};
    cnn_model *model = NULL;

    check(cnn_model_create(&model, context, shape, 3));
    struct net net = net_begin(context, model);
    net_flatten(&net);
    net_dense(&net, 2);
    if (softmax)
        net_softmax(&net);
    check(net.status);
    check(cnn_model_set_classes(model, classes, 2));
    return model;
}

/* The weights become 0, so that only the bias is left. */
static void set_scores(cnn_model *model, cnn_context *context, const float scores[2])
{
    const cnn_parameter parameters[] = {CNN_WEIGHT, CNN_BIAS};
    cnn_layer *dense = cnn_model_layer(model, 1);

    for (int i = 0; i < 2; i++) {
        int64_t shape[CNN_MAX_RANK];
        int32_t rank = 0;
        cnn_tensor *values = NULL;
        check(cnn_layer_parameter_shape(shape, &rank, dense, parameters[i]));
        check(cnn_tensor_create(&values, context, CNN_FLOAT32, shape, rank));
        float *numbers = cnn_tensor_data(values);
        for (int64_t k = 0; k < cnn_tensor_count(values); k++)
            numbers[k] = parameters[i] == CNN_BIAS ? scores[k] : 0.0f;
        check(cnn_layer_set_parameter(dense, parameters[i], values));
        cnn_tensor_free(values);
    }
}

int main(int argc, char **argv)
{
    const bool softmax = argc == 5 && strcmp(argv[4], "softmax") == 0;
    cnn_context *context = NULL;

    if (argc != 4 && !softmax) {
        fprintf(stderr, "usage: make_scorer FILE CAT DOG [softmax]\n");
        return EXIT_FAILURE;
    }
    const float scores[] = {strtof(argv[2], NULL), strtof(argv[3], NULL)};
    check(cnn_context_create(&context));
    cnn_model *model = create_network(context, softmax);
    set_scores(model, context, scores);
    check(cnn_model_save(model, argv[1]));
    cnn_model_free(model);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
