/* SPDX-License-Identifier: MIT
 * cats-dogs predict: from a picture's file to its class, one line each.
 *
 * A picture that cannot be read is reported and passed over. */
#include "commands.h"
#include "confusion.h"
#include "console.h"

#include <cnn.h>

/* What predicting one picture needs. */
struct predictor {
    cnn_context *context;
    cnn_model *model;
    cnn_session *session;
    cnn_tensor *input;  /* [1][height][width][channels] */
    cnn_tensor *output; /* [1][classes] */
};

/* A model of another program may take other things than pictures, and have no classes. */
static bool is_classifier(const cnn_model *model, const char *path)
{
    int64_t input[CNN_MAX_RANK], output[CNN_MAX_RANK];
    int32_t input_rank = 0, output_rank = 0;

    if (!console_succeeded(cnn_model_input_shape(input, &input_rank, model)) ||
        !console_succeeded(cnn_model_output_shape(output, &output_rank, model)))
        return false;
    if (input_rank == 3 && output_rank == 1 && output[0] == cnn_model_class_count(model))
        return true;
    console_error("%s: a model that does not tell classes of pictures; wanted one that does", path);
    return false;
}

static cnn_status create_tensors(struct predictor *predictor)
{
    int64_t input[CNN_MAX_RANK] = {1};
    int64_t output[] = {1, cnn_model_class_count(predictor->model)};
    int32_t rank = 0;
    cnn_status status = cnn_model_input_shape(input + 1, &rank, predictor->model);

    if (status == CNN_OK)
        status = cnn_tensor_create(&predictor->input, predictor->context, CNN_FLOAT32, input, 4);
    if (status == CNN_OK)
        status = cnn_tensor_create(&predictor->output, predictor->context, CNN_FLOAT32, output, 2);
    return status;
}

static bool create_predictor(struct predictor *predictor, const char *path, bool flip)
{
    *predictor = (struct predictor){0};
    return console_succeeded(cnn_context_create(&predictor->context)) &&
           console_succeeded(cnn_model_load(&predictor->model, predictor->context, path)) &&
           is_classifier(predictor->model, path) &&
           console_succeeded(cnn_session_create(&predictor->session, predictor->model, 1)) &&
           console_succeeded(cnn_session_set_flip_averaging(predictor->session, flip)) &&
           console_succeeded(create_tensors(predictor));
}

static void free_predictor(struct predictor *predictor)
{
    cnn_tensor_free(predictor->output);
    cnn_tensor_free(predictor->input);
    cnn_session_free(predictor->session);
    cnn_model_free(predictor->model);
    cnn_context_free(predictor->context);
}

static cnn_status run(struct predictor *predictor, const char *path)
{
    const cnn_tensor *input = predictor->input;
    cnn_tensor *image = NULL;
    cnn_status status =
        cnn_image_load_scaled(&image, predictor->context, path, (int32_t)cnn_tensor_dim(input, 3),
                              cnn_tensor_dim(input, 1), cnn_tensor_dim(input, 2));

    if (status == CNN_OK)
        status = cnn_model_prepare_image(predictor->model, predictor->input, 0, image);
    cnn_tensor_free(image);
    if (status == CNN_OK)
        status = cnn_session_run(predictor->session, &predictor->output, 1, &input, 1);
    return status;
}

static void print_best(const struct predictor *predictor, const char *path)
{
    const float *probability = cnn_tensor_const_data(predictor->output);
    const int32_t best = most_probable(probability, cnn_model_class_count(predictor->model));

    console_line("%s\t%s\t%.4f", path, cnn_model_class_name(predictor->model, best),
                 probability[best]);
}

int command_predict(const struct options *options)
{
    struct predictor predictor;
    int result = EXIT_ERROR;

    if (create_predictor(&predictor, options->operands[0], options->flip_average)) {
        result = EXIT_FINE;
        for (int i = 1; i < options->operand_count; i++) {
            if (console_succeeded(run(&predictor, options->operands[i])))
                print_best(&predictor, options->operands[i]);
            else
                result = EXIT_SOME_BAD;
        }
    }
    free_predictor(&predictor);
    return result;
}
