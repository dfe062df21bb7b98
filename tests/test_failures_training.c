/* SPDX-License-Identifier: MIT
 * Memory that runs out while sessions, trainers, datasets and loaders are made and used:
 * support/scenes.h says what is asked of them. */
#include "cnn.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/scenes.h"
#include "support/suite.h"
#include "support/tensors.h"

/* ---- Sessions and trainers ----------------------------------------------------------------- */

static cnn_status create_session(struct scene *scene)
{
    return SCENE_MAKE(scene->made_session,
                      cnn_session_create(&scene->made_session, scene->model, 4));
}

static void with_session(struct scene *scene)
{
    scene_with_chain(scene);
    EXPECT_OK(cnn_session_create(&scene->session, scene->model, 4));
}

/* The first run starts the context's threads; without memory for that it runs on one. */
static cnn_status run_session(struct scene *scene)
{
    return session_predict(scene->session, scene->output, scene->input);
}

static cnn_status create_sgd(struct scene *scene)
{
    return SCENE_MAKE(scene->optimizer, cnn_sgd_create(&scene->optimizer, scene->context, 0.1));
}

static cnn_status create_adam(struct scene *scene)
{
    return SCENE_MAKE(scene->optimizer, cnn_adam_create(&scene->optimizer, scene->context, 0.1));
}

static cnn_status create_adamw(struct scene *scene)
{
    return SCENE_MAKE(scene->optimizer, cnn_adamw_create(&scene->optimizer, scene->context, 0.1));
}

static void with_sgd(struct scene *scene)
{
    scene_with_chain(scene);
    EXPECT_OK(create_sgd(scene));
}

static void with_adam(struct scene *scene)
{
    scene->model = model_residual(scene->context);
    EXPECT_OK(create_adam(scene));
}

static cnn_status create_trainer(struct scene *scene)
{
    return SCENE_MAKE(scene->trainer,
                      cnn_trainer_create(&scene->trainer, scene->model, scene->optimizer,
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

static cnn_status set_class_weights(struct scene *scene)
{
    return cnn_trainer_set_class_weights(scene->trainer, (double[]){1, 2, 3}, 3);
}

static cnn_status set_average(struct scene *scene)
{
    return cnn_trainer_set_average(scene->trainer, 0.9);
}

static cnn_status keep_best(struct scene *scene)
{
    return cnn_trainer_set_keep_best(scene->trainer, 1);
}

static cnn_status flip_trainer(struct scene *scene)
{
    return cnn_trainer_set_flip_averaging(scene->trainer, 1);
}

static cnn_status flip_session(struct scene *scene)
{
    return cnn_session_set_flip_averaging(scene->session, 1);
}

static void with_average(struct scene *scene)
{
    with_trainer(scene);
    EXPECT_OK(set_average(scene));
}

/* A step, and the other weights. */
static cnn_status run_averaged_step(struct scene *scene)
{
    const cnn_status status = run_step(scene);
    return status == CNN_OK ? cnn_trainer_use_average(scene->trainer, 1) : status;
}

static void with_flipping_session(struct scene *scene)
{
    with_session(scene);
    EXPECT_OK(flip_session(scene));
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
    return SCENE_MAKE(scene->dataset, cnn_dataset_open(&scene->dataset, scene->context,
                                                       folder_path("%s", ""), CNN_TRAIN));
}

static void with_samples(struct scene *scene)
{
    scene->input = TENSOR(scene->context, CNN_UINT8, 6, 8, 8, 3);
    scene->output = tensor_labels(scene->context, 6, 3);
}

static cnn_status use_samples(struct scene *scene)
{
    return SCENE_MAKE(scene->dataset, cnn_dataset_from_memory(&scene->dataset, scene->context,
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
    return SCENE_MAKE(scene->dataset, cnn_dataset_from_callback(&scene->dataset, scene->context, 5,
                                                                3, make_sample, scene));
}

static void with_dataset(struct scene *scene)
{
    with_samples(scene);
    EXPECT_OK(use_samples(scene));
    scene->model = model_chain(scene->context);
}

static cnn_status split(struct scene *scene)
{
    scene->first = scene->second = (void *)scene;
    const cnn_status status =
        cnn_dataset_split(&scene->first, &scene->second, scene->dataset, 0.4, 1);
    ck_assert((scene->first != NULL) == (status == CNN_OK));
    ck_assert((scene->second != NULL) == (status == CNN_OK));
    return status;
}

static cnn_status create_loader(struct scene *scene)
{
    return SCENE_MAKE(scene->loader,
                      cnn_loader_create(&scene->loader, scene->dataset, scene->model, 4));
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
    EXPECT_OK(cnn_loader_set_random_affine(scene->loader, 0.1, 0.1, 5));
    EXPECT_OK(cnn_loader_set_random_tint(scene->loader, 0.1, 5));
    EXPECT_OK(cnn_loader_set_random_erasing(scene->loader, 0.5, 0.02, 0.4, 3.3));
    EXPECT_OK(cnn_loader_set_cache(scene->loader, 2000));
}

static void with_memory_loader(struct scene *scene)
{
    with_dataset(scene);
    set_up_loader(scene, 0);
}

static void with_mixing_loader(struct scene *scene)
{
    with_memory_loader(scene);
    EXPECT_OK(cnn_loader_set_mixup(scene->loader, 0.2));
    EXPECT_OK(cnn_loader_set_cutmix(scene->loader, 1));
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

/* With all that can be asked for besides. */
static void with_rich_fit(struct scene *scene)
{
    with_fit(scene);
    EXPECT_OK(set_average(scene));
    EXPECT_OK(keep_best(scene));
    EXPECT_OK(flip_trainer(scene));
    EXPECT_OK(cnn_trainer_set_accumulation(scene->trainer, 2));
}

static cnn_status run_rich_fit(struct scene *scene)
{
    return cnn_trainer_fit(scene->trainer, scene->loader, scene->loader, 2, NULL, NULL);
}

static void with_best(struct scene *scene)
{
    with_rich_fit(scene);
    EXPECT_OK(run_rich_fit(scene));
}

static cnn_status copy_best(struct scene *scene)
{
    cnn_model *copy;
    const cnn_status status = cnn_trainer_copy_best(&copy, scene->trainer);
    cnn_model_free(copy);
    return status;
}

static cnn_status run_evaluation(struct scene *scene)
{
    double loss;
    return cnn_trainer_evaluate(&loss, NULL, scene->trainer, scene->loader);
}

/* ---- Scenarios ----------------------------------------------------------------------------- */

static const struct scenario scenarios[] = {
    {"session_create", scene_with_chain, create_session, 0},
    {"session_create for a second one", with_session, create_session, 0},
    {"session_run", with_session, run_session, SCENE_ALLOCATES_NOTHING},
    {"sgd_create", NULL, create_sgd, 0},
    {"adam_create", NULL, create_adam, 0},
    {"adamw_create", NULL, create_adamw, 0},
    {"trainer_create with SGD", with_sgd, create_trainer, 0},
    {"trainer_create with Adam", with_adam, create_trainer, 0},
    {"trainer_step", with_trainer, run_step, SCENE_ALLOCATES_NOTHING},
    {"trainer_set_class_weights", with_trainer, set_class_weights, 0},
    {"trainer_forward, _backward, _update", with_trainer, run_parts, SCENE_ALLOCATES_NOTHING},
    {"trainer_set_average", with_trainer, set_average, 0},
    {"trainer_set_keep_best", with_trainer, keep_best, 0},
    {"trainer_set_flip_averaging", with_trainer, flip_trainer, 0},
    {"session_set_flip_averaging", with_session, flip_session, 0},
    {"trainer_step with an average", with_average, run_averaged_step, SCENE_ALLOCATES_NOTHING},
    {"session_run with mirror images", with_flipping_session, run_session, SCENE_ALLOCATES_NOTHING},
    {"dataset_open", NULL, open_folder, 0},
    {"dataset_from_memory", with_samples, use_samples, 0},
    {"dataset_from_callback", NULL, use_callback, 0},
    {"dataset_split", with_dataset, split, 0},
    {"loader_create", with_dataset, create_loader, 0},
    {"an epoch of samples in memory", with_memory_loader, run_epoch, SCENE_CHANGES},
    {"an epoch of mixed samples", with_mixing_loader, run_epoch, SCENE_CHANGES},
    {"an epoch of samples from a callback", with_callback_loader, run_epoch, SCENE_CHANGES},
    {"an epoch of pictures", with_folder_loader, run_epoch, SCENE_CHANGES},
    {"an epoch of pictures on threads", with_folder_threads, run_epoch, SCENE_CHANGES},
    {"trainer_fit", with_fit, run_fit, SCENE_CHANGES},
    {"trainer_fit with all there is", with_rich_fit, run_rich_fit, SCENE_CHANGES},
    {"trainer_copy_best", with_best, copy_best, 0},
    {"trainer_evaluate", with_fit, run_evaluation, SCENE_CHANGES},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

START_TEST(memory_runs_out)
{
    scenario_run(&scenarios[_i]);
}
END_TEST

static Suite *failures_training_suite(void)
{
    Suite *suite = suite_create("failures_training");
    TCase *tcase = tcase_create("memory");
    tcase_add_unchecked_fixture(tcase, scene_make_folder, folder_tear_down);
    tcase_add_loop_test(tcase, memory_runs_out, 0, SCENARIOS);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(failures_training_suite());
}
