/* SPDX-License-Identifier: MIT
 * Trainings that end between the batches of one update, whatever ended them: the model is that of
 * the update before, running statistics included, and what is resumed ends with the same bits as
 * what never stopped. */
#include <unistd.h>

#include "model/model_internal.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/trainings.h"

enum { SAMPLES = TRAINING_SAMPLES * TRAINING_EPOCHS };

static void take(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *),
                 cnn_context *of_layer)
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, of_layer));
    model_take(model, layer);
}

/* With all that a forward pass leaves behind: running statistics, and numbers of passes that
 * dropout was drawn for. */
static cnn_model *network(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 3}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 5, 3, 3));
    model_take(model, layer);
    take(model, cnn_batch_norm_create, context);
    take(model, cnn_relu_create, context);
    take(model, cnn_global_avgpool2d_create, context);
    EXPECT_OK(cnn_dropout_create(&layer, context, 0.4));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 6));
    model_take(model, layer);
    take(model, cnn_batch_norm_create, context);
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    model_take(model, layer);
    take(model, cnn_softmax_create, context);
    return model;
}

/* ---- What ends a training while sample number `at` is made ---------------------------------- */

static struct training training;
static cnn_status (*end_it)(void);
static int32_t made, end_at; /* samples, from 1; 0: it runs through */
static bool holds_gate;
static uint64_t hash_of_update; /* the model after the latest */

static cnn_status cancel(void)
{
    cnn_trainer_cancel(training.trainer);
    return CNN_OK;
}

static cnn_status spoil(void)
{
    return CNN_ERROR_FORMAT;
}

/* Somebody is predicting, until after the end: the next step is refused. */
static cnn_status predict(void)
{
    EXPECT_OK(cnni_weight_gate_enter_reading(training.model->gate, "test"));
    holds_gate = true;
    return CNN_OK;
}

static const struct {
    cnn_status (*end)(void);
    cnn_status status;
} ends[] = {{cancel, CNN_ERROR_CANCELLED}, {spoil, CNN_ERROR_FORMAT}, {predict, CNN_ERROR_STATE}};
enum { ENDS = sizeof ends / sizeof ends[0] };

static cnn_status make_sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    const cnn_status status = ++made == end_at ? end_it() : CNN_OK;
    if (status != CNN_OK)
        return status;
    EXPECT_OK(cnn_tensor_create(image, user, CNN_UINT8, (const int64_t[]){8, 8, 3}, 3));
    for (int32_t i = 0; i < 192; i++)
        ((uint8_t *)cnn_tensor_data(*image))[i] = (uint8_t)(i * (index + 3));
    *label = (int32_t)(index % 3);
    return CNN_OK;
}

static void note_hash(struct training *of, int32_t call)
{
    if (of->moments[call - 1].kind == CNN_PROGRESS_STEP)
        hash_of_update = training_hash(of);
}

static void open_training(int32_t accumulation, bool averages)
{
    cnn_dataset *dataset;
    training_open(&training,
                  &(struct training_options){.network = network, .accumulation = accumulation});
    cnn_loader_free(training.loader);
    EXPECT_OK(cnn_dataset_from_callback(&dataset, training.context, TRAINING_SAMPLES, 3,
                                        make_sample, training.context));
    EXPECT_OK(cnn_loader_create(&training.loader, dataset, training.model, TRAINING_BATCH));
    EXPECT_OK(cnn_loader_set_shuffle(training.loader, 1, 5));
    EXPECT_OK(cnn_loader_set_strict(training.loader, 1));
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, folder_path("stopped.ckpt"), 0));
    if (averages)
        EXPECT_OK(cnn_trainer_set_average(training.trainer, 0.9));
    cnn_dataset_free(dataset);
    training.act = note_hash;
    hash_of_update = training_hash(&training);
    made = end_at = 0;
}

/* ---- Fit ----------------------------------------------------------------------------------- */

static uint64_t run_through(int32_t accumulation, bool averages)
{
    open_training(accumulation, averages);
    EXPECT_OK(training_fit(&training));
    ck_assert_int_eq(made, SAMPLES);
    const uint64_t hash = training_hash(&training);
    training_close(&training);
    return hash;
}

/* Leaves the training as it stopped. */
static void run_until(int32_t sample, int32_t how, int32_t accumulation, bool averages)
{
    unlink(folder_path("stopped.ckpt"));
    open_training(accumulation, averages);
    end_at = sample;
    end_it = ends[how].end;
    ck_assert_int_eq(training_fit(&training), ends[how].status);
    if (holds_gate)
        cnni_weight_gate_leave(training.model->gate);
    holds_gate = false;
}

/* By handles made anew. */
static void resume_and_finish(uint64_t wanted, int32_t accumulation, bool averages)
{
    training_close(&training);
    open_training(accumulation, averages);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, folder_path("stopped.ckpt")));
    EXPECT_OK(training_fit(&training));
    ck_assert_uint_eq(training_hash(&training), wanted);
    training_close(&training);
}

/* Updates of 1, 2 and all 3 batches, with an average and without. */
START_TEST(stopped_in_the_middle_of_an_update)
{
    const int32_t accumulation = _i / 2 % 3 + 1, how = _i / 6;
    const bool averages = _i % 2 == 1;
    const uint64_t wanted = run_through(accumulation, averages);
    for (int32_t sample = 1; sample <= SAMPLES; sample++) {
        run_until(sample, how, accumulation, averages);
        if (averages) /* which are there from an epoch's end to the next step */
            EXPECT_OK(cnn_trainer_use_average(training.trainer, 0));
        ck_assert_msg(training_hash(&training) == hash_of_update, "ended by sample %d", sample);
        resume_and_finish(wanted, accumulation, averages);
    }
}
END_TEST

/* The same handles go on too: what was begun of an update is forgotten. */
START_TEST(the_same_trainer_goes_on)
{
    const uint64_t wanted = run_through(2, false);
    for (int32_t sample = 1; sample <= SAMPLES; sample++) {
        run_until(sample, _i, 2, false);
        EXPECT_OK(
            cnn_trainer_resume(training.trainer, training.loader, folder_path("stopped.ckpt")));
        EXPECT_OK(training_fit(&training));
        ck_assert_uint_eq(training_hash(&training), wanted);
        training_close(&training);
    }
}
END_TEST

/* ---- In between ---------------------------------------------------------------------------- */

static cnn_session *session;
static cnn_tensor *picture, *of_update, *now; /* what the session says after an update, and later */

static void predict_after_update(struct training *of, int32_t call)
{
    if (of->moments[call - 1].kind == CNN_PROGRESS_STEP)
        EXPECT_OK(session_predict(session, of_update, picture));
}

/* Two batches make an update, and the third one.  A callback is asked before its batch. */
static cnn_status look_around(void)
{
    const bool waiting = (made - 1) % TRAINING_SAMPLES / TRAINING_BATCH == 1;
    EXPECT_OK(session_predict(session, now, picture));
    ck_assert_msg(tensors_equal(now, of_update), "at sample %d", made);
    const cnn_status status =
        cnn_trainer_save_checkpoint(training.trainer, training.loader, folder_path("between.ckpt"));
    ck_assert_int_eq(status, waiting ? CNN_ERROR_STATE : CNN_OK);
    if (waiting)
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "1 batches wait for the others"));
    end_at++;
    return CNN_OK;
}

/* The model is that of the latest update for all who look at it, and no half of one is saved. */
START_TEST(others_see_the_latest_update)
{
    open_training(2, false);
    picture = model_inputs(training.model, training.context, 1, 4);
    of_update = model_outputs(training.model, training.context, 1);
    now = model_outputs(training.model, training.context, 1);
    EXPECT_OK(cnn_session_create(&session, training.model, 1));
    EXPECT_OK(session_predict(session, of_update, picture));
    training.act = predict_after_update;
    end_at = 1;
    end_it = look_around;
    EXPECT_OK(training_fit(&training));
    ck_assert_int_eq(end_at, SAMPLES + 1);
    cnn_session_free(session);
    cnn_tensor_free(picture);
    cnn_tensor_free(of_update);
    cnn_tensor_free(now);
    training_close(&training);
}
END_TEST

/* ---- Room ---------------------------------------------------------------------------------- */

/* It is there before the training: for the running statistics alone, once. */
START_TEST(the_room_is_made_when_it_is_asked_for)
{
    struct accounts *const accounts = &training.accounts;
    open_training(0, false);
    const size_t bytes = cnn_trainer_bytes(training.trainer);
    const int64_t blocks = accounts->blocks;
    for (int64_t allowed = 0; allowed < 5; allowed++) {
        accounts->refuse_at = accounts->calls + 1 + allowed;
        EXPECT_FAILS(cnn_trainer_set_accumulation(training.trainer, 2), CNN_ERROR_MEMORY,
                     "cnn_trainer_set_accumulation", "memory");
        ck_assert_int_eq(accounts->blocks, blocks);
    }
    accounts->refuse_at = 0;
    EXPECT_OK(cnn_trainer_set_accumulation(training.trainer, 1));
    ck_assert_int_eq(accounts->blocks, blocks);
    for (int64_t batches = 2; batches < 4; batches++) {
        EXPECT_OK(cnn_trainer_set_accumulation(training.trainer, batches));
        ck_assert_int_eq(accounts->blocks, blocks + 5);
        ck_assert_uint_eq(cnn_trainer_bytes(training.trainer) - bytes,
                          14 * sizeof(float *) + 2 * (5 + 6) * sizeof(float));
    }
    training_close(&training);
}
END_TEST

/* ---- Steps of one's own -------------------------------------------------------------------- */

/* All ways in which a step is refused. */
static void try_steps(const cnn_tensor *inputs, cnn_tensor *targets)
{
    cnn_trainer *const trainer = training.trainer;
    cnn_tensor *const few = TENSOR(training.context, CNN_INT32, 2);
    ck_assert_int_eq(trainer_step(NULL, trainer, inputs, few), CNN_ERROR_SHAPE);
    labels(targets)[3] = 3;
    ck_assert_int_eq(trainer_step(NULL, trainer, inputs, targets), CNN_ERROR_INVALID);
    labels(targets)[3] = 0;
    EXPECT_OK(cnni_weight_gate_enter_reading(training.model->gate, "test"));
    ck_assert_int_eq(trainer_step(NULL, trainer, inputs, targets), CNN_ERROR_STATE);
    cnni_weight_gate_leave(training.model->gate);
    cnn_tensor_free(few);
}

static uint64_t hash_after_steps(bool tries)
{
    open_training(1, false);
    cnn_tensor *inputs = model_inputs(training.model, training.context, TRAINING_BATCH, 4);
    cnn_tensor *targets = tensor_labels(training.context, TRAINING_BATCH, 3);
    for (int32_t i = 0; i < 3; i++) {
        if (tries)
            try_steps(inputs, targets);
        EXPECT_OK(trainer_step(NULL, training.trainer, inputs, targets));
    }
    const uint64_t hash = training_hash(&training);
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    training_close(&training);
    return hash;
}

START_TEST(a_refused_step_leaves_no_trace)
{
    ck_assert_uint_eq(hash_after_steps(true), hash_after_steps(false));
}
END_TEST

static Suite *stopped_updates_suite(void)
{
    Suite *suite = suite_create("stopped_updates");
    TCase *tcase = tcase_create("stopped_updates");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, stopped_in_the_middle_of_an_update, 0, ENDS * 6);
    tcase_add_loop_test(tcase, the_same_trainer_goes_on, 0, ENDS);
    tcase_add_test(tcase, others_see_the_latest_update);
    tcase_add_test(tcase, the_room_is_made_when_it_is_asked_for);
    tcase_add_test(tcase, a_refused_step_leaves_no_trace);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(stopped_updates_suite());
}
