/* SPDX-License-Identifier: MIT
 * Memory that runs out.  Each scenario is run once for every allocation that it makes, which is
 * refused alone or with all that follow: the call says CNN_ERROR_MEMORY or does without, hands out
 * nothing, leaves every handle as it was, succeeds when it is tried again, and nothing leaks. */
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/networks.h"
#include "support/pictures.h"
#include "support/suite.h"
#include "support/tensors.h"

/* The handles of a scenario; those that it does not have are NULL. */
struct scene {
    cnn_context *context;
    cnn_tensor *input, *gradient, *output, *made;
    cnn_layer *layer;
    cnn_model *model, *made_model;
    cnn_session *session, *made_session;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_dataset *dataset, *first, *second;
    cnn_loader *loader;
    struct file_bytes file;
};

static struct accounts accounts;

/* Makes a handle: on failure it must have become NULL. */
#define MAKE(handle, call)                                                                         \
    ((handle) = (void *)&accounts, made_status = (call), check_made(made_status, handle))

static cnn_status made_status;

static cnn_status check_made(cnn_status status, const void *handle)
{
    ck_assert_ptr_ne(handle, &accounts);
    ck_assert((handle != NULL) == (status == CNN_OK));
    return status;
}

static void clean(struct scene *scene)
{
    free(scene->file.bytes);
    cnn_loader_free(scene->loader);
    cnn_dataset_free(scene->dataset);
    cnn_dataset_free(scene->first);
    cnn_dataset_free(scene->second);
    cnn_trainer_free(scene->trainer);
    cnn_optimizer_free(scene->optimizer);
    cnn_session_free(scene->session);
    cnn_session_free(scene->made_session);
    cnn_model_free(scene->model);
    cnn_model_free(scene->made_model);
    cnn_layer_free(scene->layer);
    cnn_tensor_free(scene->input);
    cnn_tensor_free(scene->gradient);
    cnn_tensor_free(scene->output);
    cnn_tensor_free(scene->made);
    cnn_context_free(scene->context);
}

/* ---- Tensors and pictures ------------------------------------------------------------------ */

static cnn_status create_tensor(struct scene *scene)
{
    return MAKE(scene->made,
                cnn_tensor_create(&scene->made, scene->context, CNN_FLOAT32, (int64_t[]){3, 4}, 2));
}

static cnn_status wrap_tensor(struct scene *scene)
{
    static float values[12];
    return MAKE(scene->made, cnn_tensor_wrap(&scene->made, scene->context, CNN_FLOAT32,
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
    return MAKE(scene->made, cnn_image_decode(&scene->made, scene->context, scene->file.bytes,
                                              scene->file.size, 3));
}

static cnn_status decode_scaled(struct scene *scene)
{
    return MAKE(scene->made, cnn_image_decode_scaled(&scene->made, scene->context,
                                                     scene->file.bytes, scene->file.size, 1, 9, 9));
}

static cnn_status load_picture(struct scene *scene)
{
    return MAKE(scene->made,
                cnn_image_load(&scene->made, scene->context, folder_path("train/dog/0.png"), 3));
}

static cnn_status load_picture_scaled(struct scene *scene)
{
    return MAKE(scene->made, cnn_image_load_scaled(&scene->made, scene->context,
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
    return MAKE(scene->layer, cnn_conv2d_create(&scene->layer, scene->context, 4, 3, 3));
}

static cnn_status create_maxpool2d(struct scene *scene)
{
    return MAKE(scene->layer, cnn_maxpool2d_create(&scene->layer, scene->context, 2, 2));
}

static cnn_status create_dense(struct scene *scene)
{
    return MAKE(scene->layer, cnn_dense_create(&scene->layer, scene->context, 5));
}

static cnn_status create_relu(struct scene *scene)
{
    return MAKE(scene->layer, cnn_relu_create(&scene->layer, scene->context));
}

static cnn_status create_softmax(struct scene *scene)
{
    return MAKE(scene->layer, cnn_softmax_create(&scene->layer, scene->context));
}

static cnn_status create_flatten(struct scene *scene)
{
    return MAKE(scene->layer, cnn_flatten_create(&scene->layer, scene->context));
}

static cnn_status create_dropout(struct scene *scene)
{
    return MAKE(scene->layer, cnn_dropout_create(&scene->layer, scene->context, 0.5));
}

static cnn_status create_add(struct scene *scene)
{
    return MAKE(scene->layer, cnn_add_create(&scene->layer, scene->context));
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
        const int64_t refuse_at = accounts.refuse_at;
        accounts.refuse_at = 0;
        EXPECT_OK(run_backward(scene)); /* of the forward before */
        accounts.refuse_at = refuse_at;
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
    return MAKE(scene->made_model,
                cnn_model_create(&scene->made_model, scene->context, (int64_t[]){8, 8, 3}, 3));
}

static void with_empty_model(struct scene *scene)
{
    scene->model = model_new(scene->context, (int64_t[]){8, 8, 3}, 3);
    EXPECT_OK(create_conv2d(scene));
}

static void with_chain(struct scene *scene)
{
    scene->model = model_chain(scene->context);
    scene->input = model_inputs(scene->model, scene->context, 4, 1);
    scene->output = model_outputs(scene->model, scene->context, 4);
}

/* Eight layers: there is no room for a ninth. */
static void with_full_chain(struct scene *scene)
{
    with_chain(scene);
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
    with_chain(scene);
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
    return MAKE(scene->made, cnn_model_save_memory(&scene->made, scene->model));
}

static cnn_status save_file(struct scene *scene)
{
    return cnn_model_save(scene->model, folder_path("saved.cnn"));
}

static void with_saved(struct scene *scene)
{
    with_classes(scene);
    EXPECT_OK(save_memory(scene));
}

static cnn_status load_memory(struct scene *scene)
{
    return MAKE(scene->made_model, cnn_model_load_memory(&scene->made_model, scene->context,
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
    return MAKE(scene->made_model,
                cnn_model_load(&scene->made_model, scene->context, folder_path("saved.cnn")));
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

/* ---- Sessions and trainers ----------------------------------------------------------------- */

static cnn_status create_session(struct scene *scene)
{
    return MAKE(scene->made_session, cnn_session_create(&scene->made_session, scene->model, 4));
}

static void with_session(struct scene *scene)
{
    with_chain(scene);
    EXPECT_OK(cnn_session_create(&scene->session, scene->model, 4));
}

/* The first run starts the context's threads; without memory for that it runs on one. */
static cnn_status run_session(struct scene *scene)
{
    return session_predict(scene->session, scene->output, scene->input);
}

static cnn_status create_sgd(struct scene *scene)
{
    return MAKE(scene->optimizer, cnn_sgd_create(&scene->optimizer, scene->context, 0.1));
}

static cnn_status create_adam(struct scene *scene)
{
    return MAKE(scene->optimizer, cnn_adam_create(&scene->optimizer, scene->context, 0.1));
}

static cnn_status create_adamw(struct scene *scene)
{
    return MAKE(scene->optimizer, cnn_adamw_create(&scene->optimizer, scene->context, 0.1));
}

static void with_sgd(struct scene *scene)
{
    with_chain(scene);
    EXPECT_OK(create_sgd(scene));
}

static void with_adam(struct scene *scene)
{
    scene->model = model_residual(scene->context);
    EXPECT_OK(create_adam(scene));
}

static cnn_status create_trainer(struct scene *scene)
{
    return MAKE(scene->trainer, cnn_trainer_create(&scene->trainer, scene->model, scene->optimizer,
                                                   CNN_SOFTMAX_CROSS_ENTROPY, 4));
}

static void with_trainer(struct scene *scene)
{
    with_sgd(scene);
    EXPECT_OK(create_trainer(scene));
    scene->made = tensor_labels(scene->context, 4, 3);
}

static cnn_status run_step(struct scene *scene)
{
    return trainer_step(NULL, scene->trainer, scene->input, scene->made);
}

static cnn_status run_parts(struct scene *scene)
{
    const cnn_tensor *input = scene->input, *gradient = scene->output;
    cnn_status status = cnn_trainer_forward(scene->trainer, &scene->output, 1, &input, 1);
    if (status == CNN_OK)
        status = cnn_trainer_backward(scene->trainer, &gradient, 1);
    return status == CNN_OK ? cnn_trainer_update(scene->trainer) : status;
}

/* ---- Datasets and loaders ------------------------------------------------------------------ */

static cnn_status open_folder(struct scene *scene)
{
    return MAKE(scene->dataset, cnn_dataset_open(&scene->dataset, scene->context,
                                                 folder_path("%s", ""), CNN_TRAIN));
}

static void with_samples(struct scene *scene)
{
    scene->input = TENSOR(scene->context, CNN_UINT8, 6, 8, 8, 3);
    scene->output = tensor_labels(scene->context, 6, 3);
}

static cnn_status use_samples(struct scene *scene)
{
    return MAKE(scene->dataset, cnn_dataset_from_memory(&scene->dataset, scene->context,
                                                        scene->input, scene->output, 3));
}

static cnn_status make_sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    const struct scene *scene = user;
    *label = (int32_t)(index % 3);
    return cnn_tensor_create(image, scene->context, CNN_UINT8, (int64_t[]){9, 9, 3}, 3);
}

static cnn_status use_callback(struct scene *scene)
{
    return MAKE(scene->dataset, cnn_dataset_from_callback(&scene->dataset, scene->context, 5, 3,
                                                          make_sample, scene));
}

static void with_dataset(struct scene *scene)
{
    with_samples(scene);
    EXPECT_OK(use_samples(scene));
    scene->model = model_chain(scene->context);
}

static cnn_status split(struct scene *scene)
{
    scene->first = scene->second = (cnn_dataset *)&accounts;
    const cnn_status status =
        cnn_dataset_split(&scene->first, &scene->second, scene->dataset, 0.4, 1);
    ck_assert((scene->first != NULL) == (status == CNN_OK));
    ck_assert((scene->second != NULL) == (status == CNN_OK));
    return status;
}

static cnn_status create_loader(struct scene *scene)
{
    return MAKE(scene->loader, cnn_loader_create(&scene->loader, scene->dataset, scene->model, 4));
}

/* A loader that does everything there is to do, with that many threads. */
static void set_up_loader(struct scene *scene, int32_t threads)
{
    EXPECT_OK(create_loader(scene));
    EXPECT_OK(cnn_loader_set_threads(scene->loader, threads));
    EXPECT_OK(cnn_loader_set_shuffle(scene->loader, 1, 1));
    EXPECT_OK(cnn_loader_set_random_crop(scene->loader, 0.5, 1, 1.2));
    EXPECT_OK(cnn_loader_set_random_rotation(scene->loader, 10));
    EXPECT_OK(cnn_loader_set_random_flip(scene->loader, 0.5));
    EXPECT_OK(cnn_loader_set_random_color(scene->loader, 0.1, 0.1));
    EXPECT_OK(cnn_loader_set_cache(scene->loader, 2000));
}

static void with_memory_loader(struct scene *scene)
{
    with_dataset(scene);
    set_up_loader(scene, 0);
}

static void with_callback_loader(struct scene *scene)
{
    EXPECT_OK(use_callback(scene));
    scene->model = model_chain(scene->context);
    set_up_loader(scene, 0);
}

static void with_folder_loader(struct scene *scene)
{
    EXPECT_OK(open_folder(scene));
    scene->model = model_chain(scene->context);
    set_up_loader(scene, 0);
}

static void with_folder_threads(struct scene *scene)
{
    EXPECT_OK(open_folder(scene));
    scene->model = model_chain(scene->context);
    set_up_loader(scene, 2);
}

static cnn_status run_epoch(struct scene *scene)
{
    cnn_tensor *inputs, *targets;
    int64_t samples = 0;
    do {
        const cnn_status status = cnn_loader_next(&inputs, &targets, scene->loader);
        ck_assert((inputs != NULL) == (targets != NULL));
        if (status != CNN_OK) {
            ck_assert_ptr_null(inputs);
            return status;
        }
        samples += cnn_tensor_dim(inputs, 0);
    } while (inputs != NULL);
    ck_assert_int_eq(samples, cnn_dataset_count(scene->dataset));
    return CNN_OK;
}

static void with_fit(struct scene *scene)
{
    with_folder_loader(scene);
    EXPECT_OK(create_adam(scene));
    EXPECT_OK(create_trainer(scene));
}

static cnn_status run_fit(struct scene *scene)
{
    return cnn_trainer_fit(scene->trainer, scene->loader, NULL, 2, NULL, NULL);
}

static cnn_status run_evaluation(struct scene *scene)
{
    double loss;
    return cnn_trainer_evaluate(&loss, NULL, scene->trainer, scene->loader);
}

/* ---- Scenarios ----------------------------------------------------------------------------- */

enum {
    CHANGES = 1,          /* what has been done when memory runs out stays done */
    ALLOCATES_NOTHING = 2 /* memory cannot run out */
};

static const struct scenario {
    const char *name;
    void (*prepare)(struct scene *scene); /* NULL: a context is all it takes */
    cnn_status (*run)(struct scene *scene);
    int32_t flags;
} scenarios[] = {
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
    {"maxpool2d_create", NULL, create_maxpool2d, 0},
    {"dense_create", NULL, create_dense, 0},
    {"relu_create", NULL, create_relu, 0},
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
    {"model_set_classes", with_chain, set_classes, 0},
    {"model_set_classes again", with_classes, set_classes, 0},
    {"model_prepare_image", with_picture_for_model, prepare_picture, 0},
    {"model_save_memory", with_classes, save_memory, 0},
    {"model_save", with_classes, save_file, 0},
    {"model_load_memory", with_saved, load_memory, 0},
    {"model_load", with_saved_file, load_file, 0},
    {"model_check_gradients", with_dense, check_gradients, 0},
    {"session_create", with_chain, create_session, 0},
    {"session_create for a second one", with_session, create_session, 0},
    {"session_run", with_session, run_session, ALLOCATES_NOTHING},
    {"sgd_create", NULL, create_sgd, 0},
    {"adam_create", NULL, create_adam, 0},
    {"adamw_create", NULL, create_adamw, 0},
    {"trainer_create with SGD", with_sgd, create_trainer, 0},
    {"trainer_create with Adam", with_adam, create_trainer, 0},
    {"trainer_step", with_trainer, run_step, ALLOCATES_NOTHING},
    {"trainer_forward, _backward, _update", with_trainer, run_parts, ALLOCATES_NOTHING},
    {"dataset_open", NULL, open_folder, 0},
    {"dataset_from_memory", with_samples, use_samples, 0},
    {"dataset_from_callback", NULL, use_callback, 0},
    {"dataset_split", with_dataset, split, 0},
    {"loader_create", with_dataset, create_loader, 0},
    {"an epoch of samples in memory", with_memory_loader, run_epoch, CHANGES},
    {"an epoch of samples from a callback", with_callback_loader, run_epoch, CHANGES},
    {"an epoch of pictures", with_folder_loader, run_epoch, CHANGES},
    {"an epoch of pictures on threads", with_folder_threads, run_epoch, CHANGES},
    {"trainer_fit", with_fit, run_fit, CHANGES},
    {"trainer_evaluate", with_fit, run_evaluation, CHANGES},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

/* ---- Running them -------------------------------------------------------------------------- */

static void prepare(struct scene *scene, const struct scenario *scenario)
{
    *scene = (struct scene){0};
    EXPECT_OK(cnn_context_create(&scene->context));
    accounts_open(&accounts, scene->context);
    EXPECT_OK(cnn_context_set_threads(scene->context, 2));
    if (scenario->prepare != NULL)
        scenario->prepare(scene);
}

/* What can be seen of the handles, as one number. */
static uint64_t look(const struct scene *scene)
{
    const char *name = scene->layer == NULL ? "" : cnn_layer_name(scene->layer);
    const char *class_name = cnn_model_class_name(scene->model, 0);
    const int64_t numbers[] = {
        cnn_layer_parameter_count(scene->layer), cnn_model_layer_count(scene->model),
        cnn_model_parameter_count(scene->model), cnn_model_class_count(scene->model),
        cnn_optimizer_steps(scene->optimizer),   cnn_loader_epoch(scene->loader),
        cnn_dataset_count(scene->dataset),       class_name == NULL ? 0 : class_name[0],
    };
    uint64_t hash = hash_bytes(HASH_START, numbers, sizeof numbers);
    hash = hash_bytes(hash, name, strlen(name));
    return scene->model == NULL ? hash : hash ^ model_hash(scene->model, scene->context);
}

/* The text of a failure before, which successful calls leave alone. */
static void fail_before(void)
{
    EXPECT_FAILS(cnn_tensor_create(NULL, NULL, 0, NULL, 0), CNN_ERROR_INVALID, "cnn_tensor_create",
                 "tensor is NULL");
}

/* Refuses allocation number `index` of a scenario; returns whether it made as many. */
static int refuse(const struct scenario *scenario, int64_t index, bool once)
{
    struct scene scene;
    prepare(&scene, scenario);
    const uint64_t before = look(&scene);
    const int64_t calls = accounts.calls;
    fail_before();
    accounts.refuse_once = once;
    accounts.refuse_at = calls + index;
    const cnn_status status = scenario->run(&scene);
    accounts.refuse_at = 0;
    const bool refused = accounts.calls - calls >= index;
    ck_assert_msg(status == CNN_OK || (refused && status == CNN_ERROR_MEMORY), "%s, %d, %s: %s: %s",
                  scenario->name, (int)index, once ? "once" : "for ever", cnn_status_name(status),
                  cnn_error_message());
    if (status == CNN_OK)
        ck_assert_msg(strcmp(cnn_error_message(), "cnn_tensor_create: tensor is NULL") == 0,
                      "%s, %d, %s: succeeded, with the text \"%s\"", scenario->name, (int)index,
                      once ? "once" : "for ever", cnn_error_message());
    else {
        ck_assert_msg(strstr(cnn_error_message(), "no memory") != NULL ||
                          strstr(cnn_error_message(), "the callback returned CNN_ERROR_MEMORY") !=
                              NULL,
                      "%s: %s", scenario->name, cnn_error_message());
        if (!(scenario->flags & CHANGES))
            ck_assert_msg(look(&scene) == before, "%s, %d, %s: handles have changed",
                          scenario->name, (int)index, once ? "once" : "for ever");
        EXPECT_OK(scenario->run(&scene));
    }
    clean(&scene);
    ck_assert_msg(accounts.blocks == 0, "%s, %d, %s: %d blocks have leaked", scenario->name,
                  (int)index, once ? "once" : "for ever", (int)accounts.blocks);
    ck_assert_uint_eq(accounts.bytes, 0);
    return refused;
}

START_TEST(memory_runs_out)
{
    for (int32_t once = 0; once < 2; once++) {
        int64_t index = 1;
        while (refuse(&scenarios[_i], index, once != 0))
            index++;
        ck_assert_int_eq(index == 1, (scenarios[_i].flags & ALLOCATES_NOTHING) != 0);
    }
}
END_TEST

/* A folder of small pictures, written once. */
static void make_folder(void)
{
    folder_set_up();
    folder_make(folder_path("train"));
    folder_make(folder_path("train/cat"));
    folder_make(folder_path("train/dog"));
    for (int32_t i = 0; i < 3; i++) {
        picture_write_jpeg(folder_path("train/cat/%d.jpg", i), 24, 20, (uint32_t)i);
        picture_write_png(folder_path("train/dog/%d.png", i), 15, 17, (uint32_t)i);
    }
}

static Suite *failures_suite(void)
{
    Suite *suite = suite_create("failures");
    TCase *tcase = tcase_create("memory");
    tcase_add_unchecked_fixture(tcase, make_folder, folder_tear_down);
    tcase_add_loop_test(tcase, memory_runs_out, 0, SCENARIOS);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(failures_suite());
}
