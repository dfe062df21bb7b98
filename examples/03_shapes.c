/* SPDX-License-Identifier: MIT
 * A small convolutional network learns to tell circles, squares and triangles apart.
 *
 * The pictures are drawn into memory, so that everything is in one file: a dataset, its split into
 * training and validation, loaders that make batches of it, and cnn_trainer_fit() over epochs.
 * 04_folder.c does the same with folders of JPEGs. */
#include "example.h"

#include <math.h>
#include <stdio.h>

enum { SIDE = 24, PICTURES = 3000, BATCH = 32, EPOCHS = 8 };

enum { CIRCLE, SQUARE, TRIANGLE, SHAPES };

static const char *const names[SHAPES] = {"circle", "square", "triangle"};

/* ---- Drawing ------------------------------------------------------------------------------- */

/* A number from `low` to `high`: a linear congruential generator is random enough for drawings. */
static float pick(uint32_t *state, float low, float high)
{
    *state = *state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(*state >> 8) / 16777216.0f;
}

/* Whether (x, y), in units of the shape's radius and seen from its centre, is inside. */
static int inside(int shape, float x, float y)
{
    switch (shape) {
    case CIRCLE: return x * x + y * y < 1.0f;
    case SQUARE: return fabsf(x) < 0.8f && fabsf(y) < 0.8f;
    default: /* base at y = 0.7, tip at y = -1 */ return y < 0.7f && fabsf(x) < 0.55f * (y + 1.0f);
    }
}

/* Draws one shape: anywhere, of any size, turned a little, in a gray that can be seen, on noise. */
static void draw(uint8_t *pixels, int shape, uint32_t *state)
{
    const float radius = pick(state, 5.0f, 9.0f);
    const float centre_x = pick(state, radius, SIDE - radius);
    const float centre_y = pick(state, radius, SIDE - radius);
    const float angle = pick(state, -0.4f, 0.4f);
    const float ground = pick(state, 40.0f, 200.0f);
    const float figure = ground > 120.0f ? ground - 80.0f : ground + 80.0f;

    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            const float dx = ((float)column - centre_x) / radius;
            const float dy = ((float)row - centre_y) / radius;
            const float x = cosf(angle) * dx + sinf(angle) * dy;
            const float y = cosf(angle) * dy - sinf(angle) * dx;
            const float gray = inside(shape, x, y) ? figure : ground;
            pixels[row * SIDE + column] = (uint8_t)(gray + pick(state, -20.0f, 20.0f));
        }
    }
}

/* A dataset of drawings, the three shapes in turn. */
static cnn_dataset *create_dataset(cnn_context *context)
{
    const int64_t picture_shape[] = {PICTURES, SIDE, SIDE, 1};
    const int64_t label_shape[] = {PICTURES};
    cnn_tensor *pictures = NULL;
    cnn_tensor *labels = NULL;
    cnn_dataset *dataset = NULL;
    uint32_t state = 2;

    check(cnn_tensor_create(&pictures, context, CNN_UINT8, picture_shape, 4));
    check(cnn_tensor_create(&labels, context, CNN_INT32, label_shape, 1));
    uint8_t *pixels = cnn_tensor_data(pictures);
    int32_t *label = cnn_tensor_data(labels);
    for (int i = 0; i < PICTURES; i++) {
        label[i] = i % SHAPES;
        draw(pixels + i * SIDE * SIDE, label[i], &state);
    }
    check(cnn_dataset_from_memory(&dataset, context, pictures, labels, SHAPES));
    cnn_tensor_free(labels);
    cnn_tensor_free(pictures);
    return dataset;
}

/* ---- The network --------------------------------------------------------------------------- */

/* A 3x3 convolution, ReLU and 2x2 max-pooling: half the size, `filters` deep. */
static void append_stage(cnn_model *model, cnn_context *context, int64_t filters)
{
    cnn_layer *layer = NULL;

    check(cnn_conv2d_create(&layer, context, filters, 3, 3));
    check(cnn_conv2d_set_padding_same(layer));
    append(model, layer);
    check(cnn_relu_create(&layer, context));
    append(model, layer);
    check(cnn_maxpool2d_create(&layer, context, 2, 2));
    append(model, layer);
}

static cnn_model *create_network(cnn_context *context)
{
    const int64_t input[] = {SIDE, SIDE, 1};
    cnn_model *model = NULL;
    cnn_layer *layer = NULL;

    check(cnn_model_create(&model, context, input, 3));
    check(cnn_model_set_classes(model, names, SHAPES));
    append_stage(model, context, 8);
    append_stage(model, context, 16);
    append_stage(model, context, 32);
    check(cnn_flatten_create(&layer, context));
    append(model, layer);
    check(cnn_dense_create(&layer, context, SHAPES));
    append(model, layer);
    check(cnn_softmax_create(&layer, context));
    append(model, layer);
    return model;
}

/* ---- Training ------------------------------------------------------------------------------ */

static void train(cnn_context *context, cnn_model *model, cnn_dataset *training,
                  cnn_dataset *validation)
{
    cnn_loader *training_loader = NULL;
    cnn_loader *validation_loader = NULL;
    cnn_optimizer *optimizer = NULL;
    cnn_trainer *trainer = NULL;

    check(cnn_loader_create(&training_loader, training, model, BATCH));
    check(cnn_loader_set_shuffle(training_loader, 1, 3));
    check(cnn_loader_set_random_flip(training_loader, 0.5));
    check(cnn_loader_create(&validation_loader, validation, model, BATCH));
    check(cnn_adam_create(&optimizer, context, 0.005));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    check(cnn_trainer_fit(trainer, training_loader, validation_loader, EPOCHS, print_epoch, NULL));

    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_loader_free(validation_loader);
    cnn_loader_free(training_loader);
}

/* ---- Predicting ---------------------------------------------------------------------------- */

/* Prints every other row of a picture as characters, which are about twice as tall as wide. */
static void print_picture(const uint8_t *pixels)
{
    static const char grays[] = " .:-=+*#%@";

    for (int row = 0; row < SIDE; row += 2) {
        printf("    ");
        for (int column = 0; column < SIDE; column++)
            putchar(grays[pixels[row * SIDE + column] * 10 / 256]);
        printf("\n");
    }
}

/* Draws one more of each shape, and asks the network what it sees. */
static void predict(cnn_context *context, cnn_model *model)
{
    const int64_t picture_shape[] = {SIDE, SIDE, 1};
    const int64_t input_shape[] = {1, SIDE, SIDE, 1};
    const int64_t output_shape[] = {1, SHAPES};
    cnn_tensor *picture = NULL;
    cnn_tensor *input = NULL;
    cnn_tensor *output = NULL;
    cnn_session *session = NULL;
    uint32_t state = 22;

    check(cnn_tensor_create(&picture, context, CNN_UINT8, picture_shape, 3));
    check(cnn_tensor_create(&input, context, CNN_FLOAT32, input_shape, 4));
    check(cnn_tensor_create(&output, context, CNN_FLOAT32, output_shape, 2));
    check(cnn_session_create(&session, model, 1));
    for (int shape = 0; shape < SHAPES; shape++) {
        const float *probability = cnn_tensor_const_data(output);
        const cnn_tensor *inputs = input;
        int best = 0;

        draw(cnn_tensor_data(picture), shape, &state);
        check(cnn_model_prepare_image(model, input, 0, picture));
        check(cnn_session_run(session, &output, 1, &inputs, 1));
        for (int i = 1; i < SHAPES; i++)
            best = probability[i] > probability[best] ? i : best;
        print_picture(cnn_tensor_const_data(picture));
        printf("a %s: the network sees a %s (%.3f)\n", names[shape],
               cnn_model_class_name(model, best), probability[best]);
    }
    cnn_session_free(session);
    cnn_tensor_free(output);
    cnn_tensor_free(input);
    cnn_tensor_free(picture);
}

int main(void)
{
    cnn_context *context = NULL;
    cnn_dataset *training = NULL;
    cnn_dataset *validation = NULL;

    check(cnn_context_create(&context));
    check(cnn_context_set_seed(context, 1));
    cnn_dataset *dataset = create_dataset(context);
    check(cnn_dataset_split(&training, &validation, dataset, 0.2, 1));

    cnn_model *model = create_network(context);
    train(context, model, training, validation);
    predict(context, model);

    cnn_model_free(model);
    cnn_dataset_free(validation);
    cnn_dataset_free(training);
    cnn_dataset_free(dataset);
    cnn_context_free(context);
    return 0;
}
