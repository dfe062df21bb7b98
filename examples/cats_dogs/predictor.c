/* SPDX-License-Identifier: MIT
 * From the path of a picture to probabilities. */
#include "predictor.h"

#include "console.h"

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

/* The scores of one that has no softmax, as it may be for training, are any numbers. */
static bool gives_probabilities(cnn_model *model, const char *path)
{
    cnn_layer *last = cnn_model_layer(model, cnn_model_layer_count(model) - 1);
    char text[160];

    if (cnn_layer_get_kind(last) == CNN_SOFTMAX)
        return true;
    cnn_layer_describe(last, text, sizeof text);
    console_error("%s: a model whose last layer is \"%s\"; wanted softmax, for probabilities", path,
                  text);
    return false;
}

static cnn_status create_tensors(struct predictor *predictor)
{
    int64_t input[CNN_MAX_RANK] = {1};
    const int64_t output[] = {1, predictor->classes};
    int32_t rank = 0;
    cnn_status status = cnn_model_input_shape(input + 1, &rank, predictor->model);

    if (status == CNN_OK)
        status = cnn_tensor_create(&predictor->input, predictor->context, CNN_FLOAT32, input, 4);
    if (status == CNN_OK)
        status = cnn_tensor_create(&predictor->output, predictor->context, CNN_FLOAT32, output, 2);
    return status;
}

bool predictor_create(struct predictor *predictor, cnn_context *context, cnn_model *model,
                      const char *path, bool flip)
{
    *predictor = (struct predictor){
        .context = context, .model = model, .classes = cnn_model_class_count(model)};
    return is_classifier(model, path) && gives_probabilities(model, path) &&
           console_succeeded(cnn_session_create(&predictor->session, model, 1)) &&
           console_succeeded(cnn_session_set_flip_averaging(predictor->session, flip)) &&
           console_succeeded(create_tensors(predictor));
}

void predictor_free(struct predictor *predictor)
{
    cnn_tensor_free(predictor->output);
    cnn_tensor_free(predictor->input);
    cnn_session_free(predictor->session);
}

cnn_status predictor_read(struct predictor *predictor, const char *path)
{
    const cnn_tensor *input = predictor->input;
    cnn_tensor *image = NULL;
    cnn_status status =
        cnn_image_load_scaled(&image, predictor->context, path, (int32_t)cnn_tensor_dim(input, 3),
                              cnn_tensor_dim(input, 1), cnn_tensor_dim(input, 2));

    if (status == CNN_OK)
        status = cnn_model_prepare_image(predictor->model, predictor->input, 0, image);
    cnn_tensor_free(image);
    return status;
}

cnn_status predictor_predict(struct predictor *predictor)
{
    const cnn_tensor *input = predictor->input;

    return cnn_session_run(predictor->session, &predictor->output, 1, &input, 1);
}

cnn_status predictor_run(struct predictor *predictor, const char *path)
{
    const cnn_status status = predictor_read(predictor, path);

    return status == CNN_OK ? predictor_predict(predictor) : status;
}

const float *predictor_probabilities(const struct predictor *predictor)
{
    return cnn_tensor_const_data(predictor->output);
}

int32_t most_probable(const float *probabilities, int32_t classes)
{
    int32_t best = 0;

    for (int32_t i = 1; i < classes; i++) {
        if (probabilities[i] > probabilities[best])
            best = i;
    }
    return best;
}
