/* SPDX-License-Identifier: MIT
 * A training that is stopped anywhere and goes on from its checkpoint, in another context, ends
 * with the same bits and has told the same; when checkpoints are written, and what they are
 * besides.  What is refused is in test_checkpoint_refused.c, what fails in
 * test_checkpoint_faults.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cpu.h"
#include "support/expect.h"
#include "support/files.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/trainings.h"

enum { OPTIMIZERS = 4 };

/* ---- The same bits ------------------------------------------------------------------------- */

/* A training that ran through; returns its hash. */
static uint64_t run_through(struct training *training, const struct training_options *options)
{
    training_open(training, options);
    EXPECT_OK(training_fit(training));
    ck_assert_int_eq(training->moment_count, MOST_MOMENTS);
    const uint64_t hash = training_hash(training);
    training_close(training);
    return hash;
}

static void save_at_stop(struct training *training, int32_t call)
{
    if (call == training->stop_at)
        EXPECT_OK(cnn_trainer_save_checkpoint(training->trainer, training->loader,
                                              folder_path("saved.ckpt")));
}

/* Stops at moment `at`, from 1, having saved a checkpoint. */
static void run_until(int32_t at, const struct training_options *options)
{
    struct training training;
    training_open(&training, options);
    training.stop_at = at;
    training.act = save_at_stop;
    EXPECT_FAILS(training_fit(&training), CNN_ERROR_CANCELLED, "cnn_trainer_fit", "callback");
    training_close(&training);
}

/* The moment from which the training tells again after it was stopped in moment `at`: what has been
 * validated of an epoch is validated anew. */
static int32_t moment_after(int32_t at)
{
    const int32_t start = at / TRAINING_MOMENTS * TRAINING_MOMENTS;
    return at - start > TRAINING_STEPS ? start + TRAINING_STEPS : at;
}

static void resume_and_finish(const struct training *wanted, uint64_t hash, int32_t at,
                              const struct training_options *options)
{
    struct training training;
    training_open(&training, options);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, folder_path("saved.ckpt")));
    ck_assert_int_eq(cnn_trainer_epoch(training.trainer), 1 + at / TRAINING_MOMENTS);
    EXPECT_OK(training_fit(&training));
    ck_assert_uint_eq(training_hash(&training), hash);
    expect_same_moments(&training, wanted, moment_after(at));
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), TRAINING_EPOCHS * TRAINING_STEPS);
    ck_assert_int_eq(cnn_loader_epoch(training.loader), TRAINING_EPOCHS);
    training_close(&training);
}

/* Of each optimizer, at every moment; the second half runs on other threads. */
START_TEST(resumed_at_any_moment_it_ends_with_the_same_bits)
{
    static struct training wanted;
    const struct training_options first = {.optimizer = _i},
                                  second = {.optimizer = _i, .threads = 3};
    const uint64_t hash = run_through(&wanted, &first);
    for (int32_t at = 1; at <= MOST_MOMENTS; at++) {
        run_until(at, &first);
        resume_and_finish(&wanted, hash, at, &second);
    }
}
END_TEST

static void take(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *),
                 cnn_context *of_layer)
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, of_layer));
    model_take(model, layer);
}

static cnn_model *normalized_network(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 3}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 5, 3, 3));
    model_take(model, layer);
    take(model, cnn_batch_norm_create, context);
    take(model, cnn_relu_create, context);
    take(model, cnn_global_avgpool2d_create, context);
    EXPECT_OK(cnn_dense_create(&layer, context, 6));
    model_take(model, layer);
    take(model, cnn_batch_norm_create, context);
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    model_take(model, layer);
    take(model, cnn_softmax_create, context);
    return model;
}

/* Running statistics, averages, the best epoch: all that a training may have besides. */
START_TEST(resumed_with_all_that_a_training_has)
{
    static struct training wanted;
    const struct training_options first = {
        .optimizer = _i, .network = normalized_network, .refined = true};
    const uint64_t hash = run_through(&wanted, &first);
    for (int32_t at = 1; at <= MOST_MOMENTS; at++) {
        run_until(at, &first);
        resume_and_finish(&wanted, hash, at, &first);
    }
}
END_TEST

/* After the first epoch nothing gets better any more. */
static void spoil(struct training *training, int32_t call)
{
    if (call == TRAINING_MOMENTS)
        EXPECT_OK(cnn_optimizer_set_learning_rate(training->optimizer, 50));
    save_at_stop(training, call);
}

START_TEST(the_best_epoch_comes_along)
{
    struct training training;
    const struct training_options options = {.refined = true};
    uint64_t wanted = 0;
    for (int32_t at = MOST_MOMENTS; at > TRAINING_MOMENTS; at--) {
        training_open(&training, &options);
        training.stop_at = at;
        training.act = spoil;
        EXPECT_FAILS(training_fit(&training), CNN_ERROR_CANCELLED, "cnn_trainer_fit", "callback");
        ck_assert_int_eq(cnn_trainer_best_epoch(training.trainer), 1);
        if (at == MOST_MOMENTS)
            wanted = training_hash(&training);
        training_close(&training);
        training_open(&training, &options);
        EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, folder_path("saved.ckpt")));
        ck_assert_int_eq(cnn_trainer_best_epoch(training.trainer), 1);
        EXPECT_OK(training_fit(&training));
        ck_assert_int_eq(cnn_trainer_best_epoch(training.trainer), 1);
        ck_assert_uint_eq(training_hash(&training), wanted);
        training_close(&training);
    }
}
END_TEST

/* An update of two batches, and one of the third: groups are never cut. */
START_TEST(resumed_between_updates_of_several_batches)
{
    struct training training;
    const struct training_options options = {.accumulation = 2, .refined = true};
    training_open(&training, &options);
    EXPECT_OK(training_fit(&training));
    const uint64_t hash = training_hash(&training);
    const int32_t moments = training.moment_count;
    ck_assert_int_eq(moments, TRAINING_EPOCHS * (TRAINING_MOMENTS - 1));
    training_close(&training);
    for (int32_t at = 1; at <= moments; at++) {
        run_until(at, &options);
        training_open(&training, &options);
        EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, folder_path("saved.ckpt")));
        EXPECT_OK(training_fit(&training));
        ck_assert_uint_eq(training_hash(&training), hash);
        training_close(&training);
    }
}
END_TEST

/* Levels with the same bits. */
START_TEST(it_goes_on_at_another_level)
{
    static struct training wanted;
    const struct training_options none = {.optimizer = 1};
    const char *const level = getenv("CNN_CPU");
    if (!cnni_cpu_has(CNNI_AVX512) || level == NULL || strcmp(level, "avx2") != 0)
        return;
    const uint64_t hash = run_through(&wanted, &none);
    const struct training_options other = {.optimizer = 1, .cpu = "avx512"};
    for (int32_t at = 1; at <= MOST_MOMENTS; at += 4) {
        run_until(at, at % 8 == 1 ? &none : &other);
        resume_and_finish(&wanted, hash, at, at % 8 == 1 ? &other : &none);
    }
}
END_TEST

/* The same network, made by other means: its layers have other streams of random numbers. */
static cnn_model *network_after_others(cnn_context *context)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_relu_create(&layer, context));
    cnn_layer_free(layer);
    return model_dropout(context);
}

static cnn_model *network_of_the_checkpoint(cnn_context *context)
{
    cnn_model *model;
    cnn_model_free(network_after_others(context));
    EXPECT_OK(cnn_model_load(&model, context, folder_path("saved.ckpt")));
    return model;
}

START_TEST(layers_made_before_do_not_matter)
{
    static struct training wanted;
    const struct training_options none = {.threads = 1};
    const uint64_t hash = run_through(&wanted, &none);
    run_until(2, &none);
    resume_and_finish(&wanted, hash, 2,
                      &(struct training_options){.network = network_after_others});
    resume_and_finish(&wanted, hash, 2,
                      &(struct training_options){.network = network_of_the_checkpoint});
}
END_TEST

/* Samples 4 to 7, a whole batch of the unshuffled order, and 9 are bad. */
static cnn_status make_sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    if ((index >= 4 && index < 8) || index == 9)
        return CNN_ERROR_FORMAT;
    EXPECT_OK(cnn_tensor_create(image, user, CNN_UINT8, (const int64_t[]){8, 8, 3}, 3));
    for (int32_t i = 0; i < 192; i++)
        ((uint8_t *)cnn_tensor_data(*image))[i] = (uint8_t)(i * (index + 3));
    *label = (int32_t)(index % 3);
    return CNN_OK;
}

static void take_bad_samples(struct training *training)
{
    cnn_dataset *dataset;
    training_open(training, &(struct training_options){.threads = 1});
    cnn_loader_free(training->loader);
    EXPECT_OK(cnn_dataset_from_callback(&dataset, training->context, TRAINING_SAMPLES, 3,
                                        make_sample, training->context));
    EXPECT_OK(cnn_loader_create(&training->loader, dataset, training->model, TRAINING_BATCH));
    cnn_dataset_free(dataset);
}

START_TEST(bad_samples_are_passed_over_as_before)
{
    enum { MOMENTS = 5 }; /* two steps, two batches of the validation, the end */
    const char *path = folder_path("bad.ckpt");
    struct training whole, part;
    take_bad_samples(&whole);
    EXPECT_OK(training_fit(&whole));
    ck_assert_int_eq(whole.moment_count, MOMENTS * TRAINING_EPOCHS);
    for (int32_t at = 1; at <= MOMENTS * TRAINING_EPOCHS; at++) {
        take_bad_samples(&part);
        part.stop_at = at;
        EXPECT_OK(cnn_trainer_set_checkpoint(part.trainer, path, 0));
        ck_assert_int_eq(training_fit(&part), CNN_ERROR_CANCELLED);
        training_close(&part);
        take_bad_samples(&part);
        EXPECT_OK(cnn_trainer_resume(part.trainer, part.loader, path));
        EXPECT_OK(training_fit(&part));
        const int32_t start = at / MOMENTS * MOMENTS;
        expect_same_moments(&part, &whole, at - start > 2 ? start + 2 : at);
        ck_assert_uint_eq(training_hash(&part), training_hash(&whole));
        training_close(&part);
    }
    training_close(&whole);
}
END_TEST

/* Stopped again and again, by the trainer's own checkpoints. */
START_TEST(it_may_be_stopped_after_every_step)
{
    static struct training wanted;
    const struct training_options options = {.optimizer = 2};
    const uint64_t hash = run_through(&wanted, &options);
    const char *path = folder_path("again.ckpt");
    struct training training;
    cnn_status status = CNN_ERROR_CANCELLED;
    int32_t runs = 0;
    unlink(path);
    for (; status == CNN_ERROR_CANCELLED; runs++) {
        training_open(&training, &options);
        EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, 0));
        if (runs > 0)
            EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
        training.stop_at = runs % 2 == 0 ? 1 : 4; /* a part of a validation alone leads nowhere */
        status = training_fit(&training);
        if (status == CNN_OK)
            ck_assert_uint_eq(training_hash(&training), hash);
        training_close(&training);
        ck_assert_int_lt(runs, MOST_MOMENTS);
    }
    EXPECT_OK(status);
    ck_assert_int_ge(runs, 4);
}
END_TEST

/* What a callback changes of the optimizer is part of the training. */
static void change_settings(struct training *training, int32_t call)
{
    (void)call;
    if (cnn_optimizer_steps(training->optimizer) == 4) {
        EXPECT_OK(cnn_optimizer_set_learning_rate(training->optimizer, 0.005));
        EXPECT_OK(cnn_optimizer_set_weight_decay(training->optimizer, 0.1));
        EXPECT_OK(cnn_optimizer_set_clip_norm(training->optimizer, 0));
        EXPECT_OK(cnn_optimizer_set_decay_vectors(training->optimizer, 0));
    }
}

START_TEST(settings_that_have_changed_stay_so)
{
    const struct training_options options = {.optimizer = 1};
    const char *path = folder_path("rates.ckpt");
    struct training whole, half;
    training_open(&whole, &options);
    whole.act = change_settings;
    EXPECT_OK(training_fit(&whole));
    training_open(&half, &options);
    half.act = change_settings;
    half.stop_at = TRAINING_MOMENTS + 2; /* step 5 */
    EXPECT_OK(cnn_trainer_set_checkpoint(half.trainer, path, 0));
    ck_assert_int_eq(training_fit(&half), CNN_ERROR_CANCELLED);
    training_close(&half);
    training_open(&half, &options);
    EXPECT_OK(cnn_trainer_resume(half.trainer, half.loader, path));
    EXPECT_OK(training_fit(&half));
    ck_assert_uint_eq(training_hash(&half), training_hash(&whole));
    training_close(&half);
    training_close(&whole);
}
END_TEST

/* ---- Loops of one's own -------------------------------------------------------------------- */

/* Steps until `last` steps are made, over as many epochs as that takes. */
static void step_until(struct training *training, int64_t last)
{
    while (cnn_optimizer_steps(training->optimizer) < last) {
        cnn_tensor *inputs, *labels;
        EXPECT_OK(cnn_loader_next(&inputs, &labels, training->loader));
        if (inputs != NULL)
            EXPECT_OK(trainer_step(NULL, training->trainer, inputs, labels));
    }
}

START_TEST(a_loop_of_ones_own_goes_on_too)
{
    const struct training_options options = {.threads = 1};
    const char *path = folder_path("loop.ckpt");
    struct training whole, part;
    training_open(&whole, &options);
    step_until(&whole, 8);
    for (int64_t at = 0; at < 8; at++) {
        training_open(&part, &options);
        step_until(&part, at);
        EXPECT_OK(cnn_trainer_save_checkpoint(part.trainer, part.loader, path));
        training_close(&part);
        training_open(&part, &options);
        step_until(&part, 2); /* which does not matter any more */
        EXPECT_OK(cnn_trainer_resume(part.trainer, part.loader, path));
        ck_assert_int_eq(cnn_optimizer_steps(part.optimizer), at);
        step_until(&part, 8);
        ck_assert_uint_eq(training_hash(&part), training_hash(&whole));
        training_close(&part);
    }
    training_close(&whole);
}
END_TEST

/* Steps of one's own leave the place that was resumed behind. */
START_TEST(a_fit_behind_a_loop_begins_anew)
{
    const struct training_options options = {.threads = 1};
    const char *path = folder_path("behind.ckpt");
    struct training training;
    training_open(&training, &options);
    step_until(&training, 2);
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    EXPECT_OK(cnn_loader_start(training.loader, 7)); /* the loader has the last word */
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    ck_assert_int_eq(cnn_loader_epoch(training.loader), 7);
    step_until(&training, 3);
    EXPECT_OK(cnn_loader_start(training.loader, 8));
    EXPECT_OK(cnn_trainer_fit(training.trainer, training.loader, NULL, 1, NULL, NULL));
    ck_assert_int_eq(cnn_loader_epoch(training.loader), 9);
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), 3 + TRAINING_STEPS);
    training_close(&training);
}
END_TEST

/* What a step has begun is forgotten; its gradients are not written. */
START_TEST(a_step_that_was_begun)
{
    const struct training_options options = {.threads = 1};
    const char *path = folder_path("begun.ckpt");
    struct training training;
    training_open(&training, &options);
    cnn_tensor *inputs = model_inputs(training.model, training.context, 2, 1);
    cnn_tensor *outputs = model_outputs(training.model, training.context, 2);
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    const uint64_t hash = training_hash(&training);
    EXPECT_OK(cnn_trainer_forward(training.trainer, &outputs, 1, (const cnn_tensor **)&inputs, 1));
    EXPECT_OK(cnn_trainer_backward(training.trainer, (const cnn_tensor **)&outputs, 1));
    EXPECT_FAILS(cnn_trainer_save_checkpoint(training.trainer, training.loader, path),
                 CNN_ERROR_STATE, "cnn_trainer_save_checkpoint", "cnn_trainer_update()");
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    EXPECT_FAILS(cnn_trainer_update(training.trainer), CNN_ERROR_STATE, "cnn_trainer_update",
                 "no cnn_trainer_backward()");
    ck_assert_uint_eq(training_hash(&training), hash);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    training_close(&training);
}
END_TEST

/* ---- When they are written ----------------------------------------------------------------- */

static int32_t found[MOST_MOMENTS]; /* whether there was a new one before each moment */

static void look_for_checkpoint(struct training *training, int32_t call)
{
    (void)training;
    const char *path = folder_path("when.ckpt");
    found[call - 1] = access(path, F_OK) == 0;
    unlink(path);
}

/* Which moments find a checkpoint of `minutes`; returns whether there is one at the end. */
static bool look(double minutes, int32_t stop_at)
{
    const struct training_options options = {.threads = 1};
    struct training training;
    const char *path = folder_path("when.ckpt");
    unlink(path);
    training_open(&training, &options);
    training.act = look_for_checkpoint;
    training.stop_at = stop_at;
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, minutes));
    ck_assert_int_eq(training_fit(&training), stop_at > 0 ? CNN_ERROR_CANCELLED : CNN_OK);
    EXPECT_OK(cnn_trainer_checkpoint_status(training.trainer));
    training_close(&training);
    return access(path, F_OK) == 0;
}

START_TEST(they_are_written_after_epochs_and_minutes)
{
    ck_assert(look(0, 0));
    for (int32_t i = 0; i < MOST_MOMENTS; i++)
        ck_assert_int_eq(found[i], i > 0 && i % TRAINING_MOMENTS == 0);
    ck_assert(look(1e-9, 0));
    for (int32_t i = 0; i < MOST_MOMENTS; i++) /* not between batches of the validation */
        ck_assert_int_eq(found[i], i > 0 && i % TRAINING_MOMENTS <= TRAINING_STEPS);
    ck_assert(look(0, 2)); /* as it stops */
    ck_assert(look(1e9, TRAINING_MOMENTS));
}
END_TEST

START_TEST(there_can_be_none)
{
    const struct training_options options = {.threads = 1};
    struct training training;
    const char *path = folder_path("none.ckpt");
    training_open(&training, &options);
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, 0));
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, NULL, 0));
    EXPECT_OK(training_fit(&training));
    ck_assert_int_ne(access(path, F_OK), 0);
    training_close(&training);
}
END_TEST

/* ---- What they are besides ----------------------------------------------------------------- */

static void flip_last_byte(const char *path)
{
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, -1, SEEK_END), 0);
    const int byte = fgetc(file);
    ck_assert_int_eq(fseek(file, -1, SEEK_END), 0);
    ck_assert_int_ne(fputc(byte ^ 1, file), EOF);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_checkpoint_is_a_model_file)
{
    const struct training_options options = {.threads = 1};
    const char *path = folder_path("model.ckpt");
    struct training training;
    cnn_model *model;
    training_open(&training, &options);
    EXPECT_OK(training_fit(&training));
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    EXPECT_OK(cnn_model_load(&model, training.context, path));
    ck_assert_uint_eq(model_hash(model, training.context), training_hash(&training));
    cnn_model_free(model);
    flip_last_byte(path); /* of an average, which it does not need but checks */
    EXPECT_FAILS(cnn_model_load(&model, training.context, path), CNN_ERROR_FORMAT, "cnn_model_load",
                 "is damaged: the checksum of tensor \"dense1.bias/optimizer.average2\"");
    training_close(&training);
}
END_TEST

/* A finished training is over at once; more epochs go on behind it. */
START_TEST(a_finished_training_is_over)
{
    const struct training_options options = {.threads = 1};
    const char *path = folder_path("finished.ckpt");
    struct training training;
    training_open(&training, &options);
    ck_assert_int_eq(cnn_trainer_epoch(training.trainer), 1);
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, 0));
    EXPECT_OK(training_fit(&training));
    const uint64_t hash = training_hash(&training);
    training_close(&training);
    training_open(&training, &options);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    ck_assert_int_eq(cnn_trainer_epoch(training.trainer), TRAINING_EPOCHS + 1);
    EXPECT_OK(training_fit(&training));
    ck_assert_int_eq(training.calls, 0);
    ck_assert_uint_eq(training_hash(&training), hash);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    EXPECT_OK(
        cnn_trainer_fit(training.trainer, training.loader, NULL, TRAINING_EPOCHS + 1, NULL, NULL));
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer),
                     (TRAINING_EPOCHS + 1) * TRAINING_STEPS);
    training_close(&training);
}
END_TEST

START_TEST(a_note_comes_along)
{
    static const char text[] = "best=3 \"quoted\" \\ \n\t\x01 \xC3\xA4";
    const struct training_options options = {.threads = 1};
    const char *path = folder_path("note.ckpt");
    static char buffer[CNN_NOTE_SIZE], longest[CNN_NOTE_SIZE + 1];
    struct training training;
    training_open(&training, &options);
    ck_assert_str_eq(cnn_trainer_note(training.trainer), "");
    EXPECT_OK(cnn_trainer_set_note(training.trainer, text));
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    EXPECT_OK(cnn_trainer_set_note(training.trainer, NULL));
    EXPECT_OK(cnn_checkpoint_note(buffer, sizeof text, training.context, path));
    ck_assert_str_eq(buffer, text);
    EXPECT_FAILS(cnn_checkpoint_note(buffer, sizeof text - 1, training.context, path),
                 CNN_ERROR_LIMIT, "cnn_checkpoint_note", "size is 24, the note");
    ck_assert_str_eq(buffer, "");
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    ck_assert_str_eq(cnn_trainer_note(training.trainer), text);
    memset(longest, 'x', CNN_NOTE_SIZE - 1);
    EXPECT_OK(cnn_trainer_set_note(training.trainer, longest));
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    EXPECT_OK(cnn_checkpoint_note(buffer, sizeof buffer, training.context, path));
    ck_assert_str_eq(buffer, longest);
    longest[CNN_NOTE_SIZE - 1] = 'x';
    EXPECT_FAILS(cnn_trainer_set_note(training.trainer, longest), CNN_ERROR_LIMIT,
                 "cnn_trainer_set_note", "65536 bytes");
    EXPECT_FAILS(cnn_trainer_set_note(training.trainer, "\xC3"), CNN_ERROR_INVALID,
                 "cnn_trainer_set_note", "not UTF-8");
    ck_assert_uint_eq(strlen(cnn_trainer_note(training.trainer)), CNN_NOTE_SIZE - 1);
    training_close(&training);
}
END_TEST

/* A training that has gone wrong is one, too. */
START_TEST(numbers_that_are_none_come_along)
{
    const struct training_options options = {.optimizer = 3};
    const char *path = folder_path("nan.ckpt");
    struct training whole, half;
    training_open(&whole, &options);
    EXPECT_OK(cnn_optimizer_set_learning_rate(whole.optimizer, 1e30));
    EXPECT_OK(training_fit(&whole));
    ck_assert(isnan(whole.moments[MOST_MOMENTS - 1].loss));
    training_open(&half, &options);
    EXPECT_OK(cnn_optimizer_set_learning_rate(half.optimizer, 1e30));
    half.stop_at = TRAINING_MOMENTS + 2;
    EXPECT_OK(cnn_trainer_set_checkpoint(half.trainer, path, 0));
    ck_assert_int_eq(training_fit(&half), CNN_ERROR_CANCELLED);
    training_close(&half);
    training_open(&half, &options);
    EXPECT_OK(cnn_optimizer_set_learning_rate(half.optimizer, 1e30));
    EXPECT_OK(cnn_trainer_resume(half.trainer, half.loader, path));
    EXPECT_OK(training_fit(&half));
    ck_assert(isnan(half.moments[0].loss));
    ck_assert_uint_eq(training_hash(&half), training_hash(&whole));
    training_close(&half);
    training_close(&whole);
}
END_TEST

static Suite *checkpoint_suite(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tcase = tcase_create("checkpoint");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, resumed_at_any_moment_it_ends_with_the_same_bits, 0, OPTIMIZERS);
    tcase_add_loop_test(tcase, resumed_with_all_that_a_training_has, 0, OPTIMIZERS);
    tcase_add_test(tcase, the_best_epoch_comes_along);
    tcase_add_test(tcase, resumed_between_updates_of_several_batches);
    tcase_add_test(tcase, it_goes_on_at_another_level);
    tcase_add_test(tcase, layers_made_before_do_not_matter);
    tcase_add_test(tcase, bad_samples_are_passed_over_as_before);
    tcase_add_test(tcase, it_may_be_stopped_after_every_step);
    tcase_add_test(tcase, settings_that_have_changed_stay_so);
    tcase_add_test(tcase, a_loop_of_ones_own_goes_on_too);
    tcase_add_test(tcase, a_fit_behind_a_loop_begins_anew);
    tcase_add_test(tcase, a_step_that_was_begun);
    tcase_add_test(tcase, they_are_written_after_epochs_and_minutes);
    tcase_add_test(tcase, there_can_be_none);
    tcase_add_test(tcase, a_checkpoint_is_a_model_file);
    tcase_add_test(tcase, a_finished_training_is_over);
    tcase_add_test(tcase, a_note_comes_along);
    tcase_add_test(tcase, numbers_that_are_none_come_along);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_suite());
}
