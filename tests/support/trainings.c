/* SPDX-License-Identifier: MIT
 * Trainings for the tests of checkpoints. */
#include "support/trainings.h"

#include <string.h>

#include "support/expect.h"
#include "support/networks.h"

void training_cycle(struct training *training)
{
    cnn_optimizer *optimizer = training->optimizer;
    EXPECT_OK(cnn_optimizer_set_warmup(optimizer, 0));
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(optimizer, TRAINING_EPOCHS * TRAINING_STEPS, 0.3,
                                                   25, 10000));
    EXPECT_OK(cnn_optimizer_set_momentum_cycle(optimizer, 0.85, 0.95));
}

static void make_optimizer(struct training *training, int32_t kind)
{
    cnn_optimizer **made = &training->optimizer;
    if (kind == 0)
        EXPECT_OK(cnn_adam_create(made, training->context, 0.01));
    else if (kind == 2)
        EXPECT_OK(cnn_adamw_create(made, training->context, 0.01));
    else
        EXPECT_OK(cnn_sgd_create(made, training->context, 0.02));
    if (kind == 1) {
        EXPECT_OK(cnn_sgd_set_momentum(*made, 0.9));
        EXPECT_OK(cnn_sgd_set_nesterov(*made, 1));
    }
    EXPECT_OK(cnn_optimizer_set_clip_norm(*made, 0.5));
    EXPECT_OK(cnn_optimizer_set_warmup(*made, 2));
    EXPECT_OK(cnn_optimizer_set_schedule_cosine(*made, TRAINING_EPOCHS * TRAINING_STEPS, 0.0001));
}

static void make_loaders(struct training *training, int32_t threads)
{
    cnn_dataset *dataset = dataset_pictures(training->context, TRAINING_SAMPLES);
    EXPECT_OK(cnn_loader_create(&training->loader, dataset, training->model, TRAINING_BATCH));
    cnn_dataset_free(dataset);
    dataset = dataset_pictures(training->context, 5);
    EXPECT_OK(cnn_loader_create(&training->validation, dataset, training->model, TRAINING_BATCH));
    cnn_dataset_free(dataset);
    EXPECT_OK(cnn_loader_set_shuffle(training->loader, 1, 5));
    EXPECT_OK(cnn_loader_set_random_flip(training->loader, 0.5));
    EXPECT_OK(cnn_loader_set_random_crop(training->loader, 0.6, 1, 1.2));
    EXPECT_OK(cnn_loader_set_random_color(training->loader, 0.2, 0.1));
    EXPECT_OK(cnn_loader_set_threads(training->loader, threads));
    EXPECT_OK(cnn_loader_set_threads(training->validation, 0));
}

static void augment(cnn_loader *loader)
{
    EXPECT_OK(cnn_loader_set_random_rotation(loader, 20));
    EXPECT_OK(cnn_loader_set_random_affine(loader, 0.1, 0.2, 10));
    EXPECT_OK(cnn_loader_set_random_tint(loader, 0.3, 30));
    EXPECT_OK(cnn_loader_set_random_erasing(loader, 0.5, 0.05, 0.3, 2));
    EXPECT_OK(cnn_loader_set_mixup(loader, 0.4));
    EXPECT_OK(cnn_loader_set_cutmix(loader, 1));
}

static void refine(struct training *training)
{
    cnn_trainer *trainer = training->trainer;
    cnn_model *model = training->model;
    augment(training->loader);
    training_cycle(training);
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    EXPECT_OK(cnn_trainer_set_flip_averaging(trainer, 1));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(cnn_trainer_set_patience(trainer, TRAINING_EPOCHS));
    EXPECT_OK(cnn_trainer_set_class_weights(trainer, (const double[]){1, 2, 0.5}, 3));
    EXPECT_OK(cnn_layer_set_learning_rate(cnn_model_layer(model, 0), 0.5));
    EXPECT_OK(cnn_layer_set_trained(cnn_model_layer(model, cnn_model_layer_count(model) - 2),
                                    0)); /* before the softmax */
}

void training_open(struct training *training, const struct training_options *options)
{
    *training = (struct training){.stop_at = 0};
    EXPECT_OK(cnn_context_create(&training->context));
    if (options->cpu != NULL)
        EXPECT_OK(cnn_context_set_cpu(training->context, options->cpu));
    accounts_open(&training->accounts, training->context);
    EXPECT_OK(
        cnn_context_set_threads(training->context, options->threads == 0 ? 1 : options->threads));
    EXPECT_OK(cnn_context_set_seed(training->context, 3 + options->other_seed));
    training->model = options->network == NULL ? model_dropout(training->context)
                                               : options->network(training->context);
    make_optimizer(training, options->optimizer);
    EXPECT_OK(cnn_trainer_create(&training->trainer, training->model, training->optimizer,
                                 CNN_SOFTMAX_CROSS_ENTROPY, TRAINING_BATCH));
    EXPECT_OK(cnn_trainer_set_label_smoothing(training->trainer, 0.1));
    make_loaders(training, options->threads);
    if (options->refined)
        refine(training);
    if (options->accumulation > 0)
        EXPECT_OK(cnn_trainer_set_accumulation(training->trainer, options->accumulation));
}

void training_close(struct training *training)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
    cnn_loader_free(training->loader);
    cnn_loader_free(training->validation);
    cnn_model_free(training->model);
    cnn_context_free(training->context);
    ck_assert_int_eq(training->accounts.blocks, 0);
    ck_assert_uint_eq(training->accounts.bytes, 0);
}

static int32_t listen(void *user, const cnn_progress *progress)
{
    struct training *training = user;
    training->calls++;
    ck_assert_int_lt(training->moment_count, MOST_MOMENTS);
    training->moments[training->moment_count++] = (struct moment){
        .kind = cnn_progress_get_kind(progress),
        .epoch = cnn_progress_epoch(progress),
        .step = cnn_progress_step(progress),
        .steps = cnn_progress_steps(progress),
        .samples = cnn_progress_samples(progress),
        .total = cnn_progress_samples_total(progress),
        .loss = cnn_progress_loss(progress),
        .accuracy = cnn_progress_accuracy(progress),
        .validation_loss = cnn_progress_validation_loss(progress),
        .validation_accuracy = cnn_progress_validation_accuracy(progress),
        .rate = cnn_progress_learning_rate(progress),
    };
    if (training->act != NULL)
        training->act(training, training->calls);
    return training->calls == training->stop_at;
}

cnn_status training_fit(struct training *training)
{
    training->calls = 0;
    return cnn_trainer_fit(training->trainer, training->loader, training->validation,
                           TRAINING_EPOCHS, listen, training);
}

uint64_t training_hash(struct training *training)
{
    return model_hash(training->model, training->context);
}

void expect_same_moments(const struct training *got, const struct training *wanted, int32_t from)
{
    ck_assert_int_eq(got->moment_count, wanted->moment_count - from);
    for (int32_t i = 0; i < got->moment_count; i++) {
        const struct moment a = got->moments[i], b = wanted->moments[from + i];
        ck_assert_msg(memcmp(&a, &b, sizeof a) == 0,
                      "moment %d: epoch %d step %d loss %.17g, wanted %d %d %.17g", from + i,
                      (int)a.epoch, (int)a.step, a.loss, (int)b.epoch, (int)b.step, b.loss);
    }
}

void expect_resume_refused(struct training *training, const char *path, cnn_status status,
                           const char *word)
{
    const uint64_t hash = training_hash(training);
    const int64_t steps = cnn_optimizer_steps(training->optimizer);
    const int64_t blocks = training->accounts.blocks;
    EXPECT_OK(cnn_trainer_set_note(training->trainer, "mine"));
    EXPECT_OK(cnn_loader_start_at(training->loader, 4, 1));
    EXPECT_FAILS(cnn_trainer_resume(training->trainer, training->loader, path), status,
                 "cnn_trainer_resume", word);
    ck_assert_uint_eq(training_hash(training), hash);
    ck_assert_int_eq(cnn_optimizer_steps(training->optimizer), steps);
    ck_assert_str_eq(cnn_trainer_note(training->trainer), "mine");
    ck_assert_int_eq(cnn_loader_epoch(training->loader), 4);
    ck_assert_int_eq(cnn_loader_batch(training->loader), 1);
    ck_assert_int_eq(cnn_trainer_epoch(training->trainer), 1);
    EXPECT_OK(cnn_trainer_set_note(training->trainer, NULL));
    ck_assert_int_eq(training->accounts.blocks, blocks);
}
