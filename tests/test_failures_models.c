/* SPDX-License-Identifier: MIT
 * Memory that runs out while tensors, pictures, layers and models are made and used:
 * support/scenes.h says what is asked of them. */
#include "cnn.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/scenes.h"
#include "support/suite.h"
#include "support/tensors.h"

/* ---- Tensors and pictures ------------------------------------------------------------------ */

static cnn_status create_tensor(struct scene *scene)
{
    return SCENE_MAKE(scene->made, cnn_tensor_create(&scene->made, scene->context, CNN_FLOAT32,
                                                     (int64_t[]){3, 4}, 2));
}

static cnn_status wrap_tensor(struct scene *scene)
{
    static float values[12];
    return SCENE_MAKE(scene->made, cnn_tensor_wrap(&scene->made, scene->context, CNN_FLOAT32,
                                                   (int64_t[]){3, 4}, 2, values, NULL, NULL));
}

static void with_jpeg(struct scene *scene)
{
    scene->file = file_read(folder_path("train/cat/0.jpg"));
}

static void with_png(struct scene *scene)
{
    scene->file = file_read(folder_path("train/dog/0.png"));
}

static cnn_status decode(struct scene *scene)
{
    return SCENE_MAKE(scene->made, cnn_image_decode(&scene->made, scene->context, scene->file.bytes,
                                                    scene->file.size, 3));
}

static cnn_status decode_scaled(struct scene *scene)
{
    return SCENE_MAKE(scene->made,
                      cnn_image_decode_scaled(&scene->made, scene->context, scene->file.bytes,
                                              scene->file.size, 1, 9, 9));
}

static cnn_status load_picture(struct scene *scene)
{
    return SCENE_MAKE(scene->made, cnn_image_load(&scene->made, scene->context,
                                                  folder_path("train/dog/0.png"), 3));
}

static cnn_status load_picture_scaled(struct scene *scene)
{
    return SCENE_MAKE(scene->made, cnn_image_load_scaled(&scene->made, scene->context,
                                                         folder_path("train/dog/0.png"), 1, 9, 9));
}

static void with_pictures(struct scene *scene)
{
    scene->input = TENSOR(scene->context, CNN_UINT8, 20, 30, 3);
    scene->output = TENSOR(scene->context, CNN_UINT8, 8, 8, 3);
}

static cnn_status resize(struct scene *scene)
{
    return cnn_image_resize(scene->output, scene->input);
}

/* ---- Layers -------------------------------------------------------------------------------- */

static cnn_status create_conv2d(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_conv2d_create(&scene->layer, scene->context, 4, 3, 3));
}

static cnn_status create_transposed(struct scene *scene)
{
    return SCENE_MAKE(scene->layer,
                      cnn_conv2d_transposed_create(&scene->layer, scene->context, 4, 3, 3));
}

static cnn_status create_maxpool2d(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_maxpool2d_create(&scene->layer, scene->context, 2, 2));
}

static cnn_status create_dense(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_dense_create(&scene->layer, scene->context, 5));
}

static cnn_status create_relu(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_relu_create(&scene->layer, scene->context));
}

static cnn_status create_leaky_relu(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_leaky_relu_create(&scene->layer, scene->context, 0.1));
}

static cnn_status create_softmax(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_softmax_create(&scene->layer, scene->context));
}

static cnn_status create_flatten(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_flatten_create(&scene->layer, scene->context));
}

static cnn_status create_dropout(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_dropout_create(&scene->layer, scene->context, 0.5));
}

static cnn_status create_add(struct scene *scene)
{
    return SCENE_MAKE(scene->layer, cnn_add_create(&scene->layer, scene->context));
}

static void with_conv2d(struct scene *scene)
{
    EXPECT_OK(create_conv2d(scene));
    scene->input = TENSOR(scene->context, CNN_FLOAT32, 2, 8, 8, 3);
    scene->gradient = TENSOR(scene->context, CNN_FLOAT32, 2, 8, 8, 3);
    scene->output = TENSOR(scene->context, CNN_FLOAT32, 2, 6, 6, 4);
}

static cnn_status build(struct scene *scene)
{
    return cnn_layer_build(scene->layer, (int64_t[]){8, 8, 3}, 3);
}

static cnn_status run_forward(struct scene *scene)
{
    return cnn_layer_forward(scene->layer, scene->output, &scene->input, 1, 1);
}

static void with_forward(struct scene *scene)
{
    with_conv2d(scene);
    EXPECT_OK(run_forward(scene));
}

static cnn_status run_backward(struct scene *scene)
{
    return cnn_layer_backward(scene->layer, &scene->gradient, 1, scene->output);
}

/* Another batch makes the layer plan anew; the old plan stays good when that fails. */
static cnn_status run_larger_batch(struct scene *scene)
{
    cnn_tensor *input, *output;
    cnn_status status =
        cnn_tensor_create(&input, scene->context, CNN_FLOAT32, (int64_t[]){5, 8, 8, 3}, 4);
    if (status != CNN_OK)
        return status;
    status = cnn_tensor_create(&output, scene->context, CNN_FLOAT32, (int64_t[]){5, 6, 6, 4}, 4);
    if (status == CNN_OK)
        status = cnn_layer_forward(scene->layer, output, &input, 1, 1);
    if (status != CNN_OK) {
        const int64_t refuse_at = scene->accounts.refuse_at;
        scene->accounts.refuse_at = 0;
        EXPECT_OK(run_backward(scene)); /* of the forward before */
        scene->accounts.refuse_at = refuse_at;
    }
    cnn_tensor_free(input);
    cnn_tensor_free(output);
    return status;
}

static void with_add(struct scene *scene)
{
    EXPECT_OK(create_add(scene));
    scene->input = TENSOR(scene->context, CNN_FLOAT32, 2, 7);
    scene->output = TENSOR(scene->context, CNN_FLOAT32, 2, 7);
}

static cnn_status run_add(struct scene *scene)
{
    return cnn_layer_forward(scene->layer, scene->output,
                             (cnn_tensor *[]){scene->input, scene->input, scene->input}, 3, 1);
}

/* ---- Models -------------------------------------------------------------------------------- */

static cnn_status create_model(struct scene *scene)
{
    return SCENE_MAKE(scene->made_model, cnn_model_create(&scene->made_model, scene->context,
                                                          (int64_t[]){8, 8, 3}, 3));
}

static void with_empty_model(struct scene *scene)
{
    scene->model = model_new(scene->context, (int64_t[]){8, 8, 3}, 3);
    EXPECT_OK(create_conv2d(scene));
}

/* Eight layers: there is no room for a ninth. */
static void with_full_chain(struct scene *scene)
{
    scene_with_chain(scene);
    for (int32_t i = 0; i < 2; i++) {
        EXPECT_OK(create_relu(scene));
        model_take(scene->model, scene->layer);
    }
    EXPECT_OK(create_dense(scene));
}

static cnn_status add_layer(struct scene *scene)
{
    return cnn_model_add(scene->model, scene->layer);
}

static void with_residual(struct scene *scene)
{
    scene->model = model_residual(scene->context);
    EXPECT_OK(create_add(scene));
}

static cnn_status add_branch(struct scene *scene)
{
    return cnn_model_add_with_inputs(scene->model, scene->layer, (int32_t[]){0, 1, CNN_MODEL_INPUT},
                                     3);
}

static cnn_status set_classes(struct scene *scene)
{
    return cnn_model_set_classes(scene->model, (const char *const[]){"cat", "dog", "other"}, 3);
}

static void with_classes(struct scene *scene)
{
    scene_with_chain(scene);
    EXPECT_OK(cnn_model_set_classes(scene->model, (const char *const[]){"a", "b"}, 2));
}

static void with_picture_for_model(struct scene *scene)
{
    scene->model = model_chain(scene->context);
    scene->input = TENSOR(scene->context, CNN_UINT8, 20, 30, 3);
    scene->output = model_inputs(scene->model, scene->context, 2, 1);
}

static cnn_status prepare_picture(struct scene *scene)
{
    return cnn_model_prepare_image(scene->model, scene->output, 1, scene->input);
}

static cnn_status save_memory(struct scene *scene)
{
    return SCENE_MAKE(scene->made, cnn_model_save_memory(&scene->made, scene->model));
}

static cnn_status save_file(struct scene *scene)
{
    return cnn_model_save(scene->model, folder_path("saved.cnn"));
}

static cnn_status resize_model(struct scene *scene)
{
    return SCENE_MAKE(scene->made_model, cnn_model_create_resized(&scene->made_model, scene->model,
                                                                  (int64_t[]){8, 8, 3}, 3));
}

static void with_saved(struct scene *scene)
{
    with_classes(scene);
    EXPECT_OK(save_memory(scene));
}

static cnn_status load_memory(struct scene *scene)
{
    return SCENE_MAKE(scene->made_model, cnn_model_load_memory(&scene->made_model, scene->context,
                                                               cnn_tensor_const_data(scene->made),
                                                               cnn_tensor_bytes(scene->made)));
}

static void with_saved_file(struct scene *scene)
{
    with_classes(scene);
    EXPECT_OK(save_file(scene));
}

static cnn_status load_file(struct scene *scene)
{
    return SCENE_MAKE(scene->made_model,
                      cnn_model_load(&scene->made_model, scene->context, folder_path("saved.cnn")));
}

/* ---- Weights ------------------------------------------------------------------------------- */

static cnn_status create_weights(struct scene *scene)
{
    return SCENE_MAKE(scene->made_weights,
                      cnn_weights_create(&scene->made_weights, scene->context));
}

/* As many rules as there is room for. */
static void with_rules(struct scene *scene)
{
    EXPECT_OK(cnn_weights_create(&scene->weights, scene->context));
    EXPECT_OK(cnn_weights_map_prefix(scene->weights, "features.0.", "conv2d1."));
    for (int32_t i = 1; i < 8; i++)
        EXPECT_OK(cnn_weights_skip(scene->weights, "other."));
}

static cnn_status add_rule(struct scene *scene)
{
    return cnn_weights_map(scene->weights, "a", "b");
}

static cnn_status save_weights_memory(struct scene *scene)
{
    return SCENE_MAKE(scene->made,
                      cnn_model_save_weights_memory(&scene->made, scene->model, scene->weights));
}

static cnn_status save_weights(struct scene *scene)
{
    return cnn_model_save_weights(scene->model, folder_path("saved.weights"), scene->weights);
}

static void with_model_and_rules(struct scene *scene)
{
    scene_with_chain(scene);
    with_rules(scene);
}

static void with_saved_weights(struct scene *scene)
{
    with_model_and_rules(scene);
    EXPECT_OK(save_weights(scene));
    EXPECT_OK(save_weights_memory(scene));
    cnn_model_free(scene->model);
    scene->model = model_chain(scene->context); /* with other values */
}

static cnn_status load_weights_memory(struct scene *scene)
{
    return cnn_model_load_weights_memory(scene->model, cnn_tensor_const_data(scene->made),
                                         cnn_tensor_bytes(scene->made), scene->weights);
}

static cnn_status load_weights(struct scene *scene)
{
    return cnn_model_load_weights(scene->model, folder_path("saved.weights"), scene->weights);
}

/* Small, because checking is slow. */
static void with_dense(struct scene *scene)
{
    scene->model = model_new(scene->context, (int64_t[]){4}, 1);
    EXPECT_OK(create_dense(scene));
    model_take(scene->model, scene->layer);
    scene->layer = NULL;
    scene->input = model_inputs(scene->model, scene->context, 2, 1);
    scene->output = model_outputs(scene->model, scene->context, 2);
}

static cnn_status check_gradients(struct scene *scene)
{
    double error = 0;
    const cnn_tensor *input = scene->input, *target = scene->output;
    return cnn_model_check_gradients(&error, NULL, 0, scene->model, CNN_MEAN_SQUARED_ERROR, &input,
                                     1, &target, 1);
}

/* ---- Scenarios ----------------------------------------------------------------------------- */

static const struct scenario scenarios[] = {
    {"tensor_create", NULL, create_tensor, 0},
    {"tensor_wrap", NULL, wrap_tensor, 0},
    {"image_decode of a JPEG", with_jpeg, decode, 0},
    {"image_decode of a PNG", with_png, decode, 0},
    {"image_decode_scaled of a JPEG", with_jpeg, decode_scaled, 0},
    {"image_decode_scaled of a PNG", with_png, decode_scaled, 0},
    {"image_load", NULL, load_picture, 0},
    {"image_load_scaled", NULL, load_picture_scaled, 0},
    {"image_resize", with_pictures, resize, 0},
    {"conv2d_create", NULL, create_conv2d, 0},
    {"conv2d_transposed_create", NULL, create_transposed, 0},
    {"maxpool2d_create", NULL, create_maxpool2d, 0},
    {"dense_create", NULL, create_dense, 0},
    {"relu_create", NULL, create_relu, 0},
    {"leaky_relu_create", NULL, create_leaky_relu, 0},
    {"softmax_create", NULL, create_softmax, 0},
    {"flatten_create", NULL, create_flatten, 0},
    {"dropout_create", NULL, create_dropout, 0},
    {"add_create", NULL, create_add, 0},
    {"layer_build", with_conv2d, build, 0},
    {"layer_forward", with_conv2d, run_forward, 0},
    {"layer_forward of add", with_add, run_add, 0},
    {"layer_forward of a larger batch", with_forward, run_larger_batch, 0},
    {"layer_backward", with_forward, run_backward, 0},
    {"model_create", NULL, create_model, 0},
    {"model_add to an empty model", with_empty_model, add_layer, 0},
    {"model_add to a full model", with_full_chain, add_layer, 0},
    {"model_add_with_inputs", with_residual, add_branch, 0},
    {"model_set_classes", scene_with_chain, set_classes, 0},
    {"model_set_classes again", with_classes, set_classes, 0},
    {"model_prepare_image", with_picture_for_model, prepare_picture, 0},
    {"model_save_memory", with_classes, save_memory, 0},
    {"model_save", with_classes, save_file, 0},
    {"model_load_memory", with_saved, load_memory, 0},
    {"model_load", with_saved_file, load_file, 0},
    {"model_create_resized", with_classes, resize_model, 0},
    {"weights_create", NULL, create_weights, 0},
    {"weights_map", with_rules, add_rule, 0},
    {"model_save_weights_memory", with_model_and_rules, save_weights_memory, 0},
    {"model_save_weights", with_model_and_rules, save_weights, 0},
    {"model_load_weights_memory", with_saved_weights, load_weights_memory, 0},
    {"model_load_weights", with_saved_weights, load_weights, 0},
    {"model_check_gradients", with_dense, check_gradients, 0},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

START_TEST(memory_runs_out)
{
    scenario_run(&scenarios[_i]);
}
END_TEST

static Suite *failures_models_suite(void)
{
    Suite *suite = suite_create("failures_models");
    TCase *tcase = tcase_create("memory");
    tcase_add_unchecked_fixture(tcase, scene_make_folder, folder_tear_down);
    tcase_add_loop_test(tcase, memory_runs_out, 0, SCENARIOS);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(failures_models_suite());
}
