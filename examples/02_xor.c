/* SPDX-License-Identifier: MIT
 * The smallest training loop: a network of two dense layers learns the exclusive or.
 *
 * Four steps that every training has: describe the model, choose loss and optimizer, make steps,
 * predict.  03_shapes.c does the same with pictures, batches and epochs. */
#include "example.h"

#include <stdio.h>

/* 2 inputs -> 8 hidden units -> the probabilities of "0" and "1". */
static cnn_model *create_network(cnn_context *context)
{
    const int64_t input[] = {2};
    cnn_model *model = NULL;
    cnn_layer *layer = NULL;

    check(cnn_model_create(&model, context, input, 1));
    check(cnn_dense_create(&layer, context, 8));
    append(model, layer);
    check(cnn_relu_create(&layer, context));
    append(model, layer);
    check(cnn_dense_create(&layer, context, 2));
    append(model, layer);
    check(cnn_softmax_create(&layer, context));
    append(model, layer);
    return model;
}

/* Makes 200 steps, each on all four cases at once. */
static void train(cnn_context *context, cnn_model *model, const cnn_tensor *inputs,
                  const cnn_tensor *labels)
{
    cnn_optimizer *optimizer = NULL;
    cnn_trainer *trainer = NULL;
    double loss = 0.0;

    check(cnn_adam_create(&optimizer, context, 0.05));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 4));
    for (int step = 1; step <= 200; step++) {
        check(cnn_trainer_step(&loss, trainer, &inputs, 1, &labels, 1));
        if (step % 50 == 0)
            printf("step %3d  loss %.4f\n", step, loss);
    }
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
}

/* Asks the network for all four cases and prints what it is sure of. */
static void predict(cnn_model *model, const cnn_tensor *inputs, cnn_tensor *outputs)
{
    const float *bits = cnn_tensor_const_data(inputs);           /* [4][2] */
    const float *probabilities = cnn_tensor_const_data(outputs); /* [4][2] */
    cnn_session *session = NULL;

    check(cnn_session_create(&session, model, 4));
    check(cnn_session_run(session, &outputs, 1, &inputs, 1));
    for (int i = 0; i < 4; i++) {
        const int answer = probabilities[2 * i + 1] > 0.5f;
        printf("%.0f xor %.0f = %d  (probability %.2f)\n", bits[2 * i], bits[2 * i + 1], answer,
               probabilities[2 * i + answer]);
    }
    cnn_session_free(session);
}

int main(void)
{
    float bits[] = {0, 0, 0, 1, 1, 0, 1, 1};
    int32_t answers[] = {0, 1, 1, 0};
    const int64_t pairs[] = {4, 2};
    const int64_t four[] = {4};
    cnn_context *context = NULL;
    cnn_tensor *inputs = NULL;
    cnn_tensor *labels = NULL;
    cnn_tensor *outputs = NULL;

    check(cnn_context_create(&context));
    check(cnn_context_set_seed(context, 1));
    check(cnn_tensor_wrap(&inputs, context, CNN_FLOAT32, pairs, 2, bits, NULL, NULL));
    check(cnn_tensor_wrap(&labels, context, CNN_INT32, four, 1, answers, NULL, NULL));
    check(cnn_tensor_create(&outputs, context, CNN_FLOAT32, pairs, 2));

    cnn_model *model = create_network(context);
    train(context, model, inputs, labels);
    predict(model, inputs, outputs);

    cnn_model_free(model);
    cnn_tensor_free(outputs);
    cnn_tensor_free(labels);
    cnn_tensor_free(inputs);
    cnn_context_free(context);
    return 0;
}
