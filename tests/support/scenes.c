/* SPDX-License-Identifier: MIT
 * Running scenarios out of memory. */
#include "support/scenes.h"

#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/pictures.h"
#include "support/tensors.h"

cnn_status scene_check_made(const struct scene *scene, const void *handle)
{
    ck_assert_ptr_ne(handle, scene);
    ck_assert((handle != NULL) == (scene->status == CNN_OK));
    return scene->status;
}

void scene_with_chain(struct scene *scene)
{
    scene->model = model_chain(scene->context);
    scene->input = model_inputs(scene->model, scene->context, 4, 1);
    scene->output = model_outputs(scene->model, scene->context, 4);
}

static void prepare(struct scene *scene, const struct scenario *scenario)
{
    memset(scene, 0, sizeof *scene);
    EXPECT_OK(cnn_context_create(&scene->context));
    accounts_open(&scene->accounts, scene->context);
    EXPECT_OK(cnn_context_set_threads(scene->context, 2));
    if (scenario->prepare != NULL)
        scenario->prepare(scene);
}

static void clean(struct scene *scene)
{
    free(scene->file.bytes);
    cnn_loader_free(scene->loader);
    cnn_weights_free(scene->weights);
    cnn_weights_free(scene->made_weights);
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

/* What can be seen of the handles, as one number. */
static uint64_t look(const struct scene *scene)
{
    const char *name = scene->layer == NULL ? "" : cnn_layer_name(scene->layer);
    const char *class_name = cnn_model_class_name(scene->model, 0);
    const int64_t numbers[] = {
        cnn_layer_parameter_count(scene->layer),
        cnn_model_layer_count(scene->model),
        cnn_model_parameter_count(scene->model),
        cnn_model_class_count(scene->model),
        cnn_optimizer_steps(scene->optimizer),
        cnn_loader_epoch(scene->loader),
        cnn_dataset_count(scene->dataset),
        class_name == NULL ? 0 : class_name[0],
        cnn_weights_count(scene->weights, CNN_WEIGHTS_LOADED),
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
    const int64_t calls = scene.accounts.calls;
    fail_before();
    scene.accounts.refuse_once = once;
    scene.accounts.refuse_at = calls + index;
    const cnn_status status = scenario->run(&scene);
    scene.accounts.refuse_at = 0;
    const bool refused = scene.accounts.calls - calls >= index;
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
        if (!(scenario->flags & SCENE_CHANGES))
            ck_assert_msg(look(&scene) == before, "%s, %d, %s: handles have changed",
                          scenario->name, (int)index, once ? "once" : "for ever");
        EXPECT_OK(scenario->run(&scene));
    }
    clean(&scene);
    ck_assert_msg(scene.accounts.blocks == 0, "%s, %d, %s: %d blocks have leaked", scenario->name,
                  (int)index, once ? "once" : "for ever", (int)scene.accounts.blocks);
    ck_assert_uint_eq(scene.accounts.bytes, 0);
    return refused;
}

void scenario_run(const struct scenario *scenario)
{
    for (int32_t once = 0; once < 2; once++) {
        int64_t index = 1;
        while (refuse(scenario, index, once != 0))
            index++;
        ck_assert_int_eq(index == 1, (scenario->flags & SCENE_ALLOCATES_NOTHING) != 0);
    }
}

void scene_make_folder(void)
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
