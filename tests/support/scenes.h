/* SPDX-License-Identifier: MIT
 * Memory that runs out.  Each scenario is run once for every allocation that it makes, which is
 * refused alone or with all that follow: the call says CNN_ERROR_MEMORY or does without, hands out
 * nothing, leaves every handle as it was, succeeds when it is tried again, and nothing leaks. */
#ifndef SUPPORT_SCENES_H
#define SUPPORT_SCENES_H

#include <check.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/fixtures.h"

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
    cnn_weights *weights, *made_weights;
    struct file_bytes file;
    struct accounts accounts;
    cnn_status status; /* by the last SCENE_MAKE() */
};

enum {
    SCENE_CHANGES = 1,          /* what has been done when memory runs out stays done */
    SCENE_ALLOCATES_NOTHING = 2 /* memory cannot run out */
};

struct scenario {
    const char *name;
    void (*prepare)(struct scene *scene); /* NULL: a context is all it takes */
    cnn_status (*run)(struct scene *scene);
    int32_t flags;
};

/* Runs out of memory at each allocation of the scenario. */
void scenario_run(const struct scenario *scenario);

/* Makes a handle of `scene` by `call`, and is its status: on failure the handle must have become
 * NULL. */
#define SCENE_MAKE(handle, call)                                                                   \
    ((handle) = (void *)scene, scene->status = (call), scene_check_made(scene, handle))
cnn_status scene_check_made(const struct scene *scene, const void *handle);

/* Prepares model_chain() with an input and an output of four samples. */
void scene_with_chain(struct scene *scene);

/* An unchecked fixture, to be undone by folder_tear_down(): the temporary folder with
 * train/cat/0.jpg to 2.jpg and train/dog/0.png to 2.png. */
void scene_make_folder(void);

#endif
