/* SPDX-License-Identifier: MIT
 * Checkpoints of another network, dataset, seed or setting are not resumed: the text names the
 * first difference, and nothing has changed.  Damaged ones: test_checkpoint_refused.c. */
#include <string.h>

#include "base/base.h"
#include "support/datasets.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/trainings.h"

static const char *checkpoint(void)
{
    return folder_path("first.ckpt");
}

/* Makes one step, and the checkpoint. */
static void step_and_save(struct training *training)
{
    training->stop_at = 1;
    EXPECT_OK(cnn_trainer_set_checkpoint(training->trainer, checkpoint(), 0));
    ck_assert_int_eq(training_fit(training), CNN_ERROR_CANCELLED);
    EXPECT_OK(cnn_trainer_checkpoint_status(training->trainer));
}

/* ---- Made otherwise ------------------------------------------------------------------------ */

static const struct {
    const char *text; /* part of the message */
    struct training_options first, second;
} others[] = {
    {"is of another network: layers[4].kind is \"dropout\" in it, \"dense\" here",
     {0},
     {.network = model_chain}},
    {"trainer.seeds[0] is 3 in it, 4 here", {0}, {.other_seed = 1}},
    {"optimizer.kind is \"adam\" in it, \"sgd\" here", {0}, {.optimizer = 1}},
    {"optimizer.kind is \"adam\" in it, \"adamw\" here", {0}, {.optimizer = 2}},
};

START_TEST(another_training_is_refused)
{
    struct training first, second;
    training_open(&first, &others[_i].first);
    step_and_save(&first);
    training_close(&first);
    training_open(&second, &others[_i].second);
    expect_resume_refused(&second, checkpoint(), CNN_ERROR_INVALID, others[_i].text);
    training_close(&second);
}
END_TEST

/* ---- Set otherwise: the model and the trainer ---------------------------------------------- */

enum { MOST_VALUES = 5 };

/* So many of them; none: as it was. */
static void classes(struct training *training, const double *v)
{
    if (v[0] > 0)
        EXPECT_OK(cnn_model_set_classes(training->model, (const char *const[]){"a", "b", "c"},
                                        (int32_t)v[0]));
}

static void normalization(struct training *training, const double *v)
{
    const float mean[] = {0.5f, (float)v[0], 0.5f}, deviation[] = {0.5f, (float)v[1], 0.5f};
    EXPECT_OK(cnn_model_set_normalization(training->model, mean, deviation, 3));
}

static void trainer(struct training *training, const double *v)
{
    cnn_trainer_free(training->trainer);
    EXPECT_OK(cnn_trainer_create(&training->trainer, training->model, training->optimizer,
                                 (cnn_loss)v[0], (int64_t)v[1]));
}

static void smoothing(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_label_smoothing(training->trainer, v[0]));
}

static void class_weights(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_class_weights(training->trainer, v, 3));
}

static void average(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_average(training->trainer, v[0]));
}

static void accumulation(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_accumulation(training->trainer, (int64_t)v[0]));
}

static void patience(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_patience(training->trainer, (int64_t)v[0]));
}

static void keep_best(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_keep_best(training->trainer, (int32_t)v[0]));
}

static void flip_averaging(struct training *training, const double *v)
{
    EXPECT_OK(cnn_trainer_set_flip_averaging(training->trainer, (int32_t)v[0]));
}

/* ---- The optimizer ------------------------------------------------------------------------- */

static void rate(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_learning_rate(training->optimizer, v[0]));
}

static void decay(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_weight_decay(training->optimizer, v[0]));
}

static void decay_vectors(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_decay_vectors(training->optimizer, (int32_t)v[0]));
}

static void clipping(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_clip_norm(training->optimizer, v[0]));
}

/* Another optimizer. */
static void sgd(struct training *training, const double *v)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
    training->trainer = NULL;
    EXPECT_OK(cnn_sgd_create(&training->optimizer, training->context, 0.01));
    EXPECT_OK(cnn_sgd_set_momentum(training->optimizer, v[0]));
    EXPECT_OK(cnn_sgd_set_nesterov(training->optimizer, (int32_t)v[1]));
    trainer(training, (const double[]){CNN_SOFTMAX_CROSS_ENTROPY, TRAINING_BATCH});
}

static void betas(struct training *training, const double *v)
{
    EXPECT_OK(cnn_adam_set_betas(training->optimizer, v[0], v[1]));
}

static void epsilon(struct training *training, const double *v)
{
    EXPECT_OK(cnn_adam_set_epsilon(training->optimizer, v[0]));
}

static void warmup(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_warmup(training->optimizer, (int64_t)v[0]));
}

/* Of `steps` steps: a cosine, or none. */
static void schedule(struct training *training, const double *v)
{
    if (v[0] == 0)
        EXPECT_OK(cnn_optimizer_set_schedule_constant(training->optimizer));
    else
        EXPECT_OK(cnn_optimizer_set_schedule_cosine(training->optimizer, (int64_t)v[0], v[1]));
}

static void steps(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_schedule_step(training->optimizer, (int64_t)v[0], v[1]));
}

static void one_cycle(struct training *training, const double *v)
{
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(training->optimizer, 9, v[0], v[1], v[2]));
}

static void momentum_cycle(struct training *training, const double *v)
{
    training_cycle(training);
    EXPECT_OK(cnn_optimizer_set_momentum_cycle(training->optimizer, v[0], v[1]));
}

/* ---- The loader ---------------------------------------------------------------------------- */

/* Pictures of 8 x 8 pixels of one value, whose labels count from 0 below `labels`. */
static cnn_dataset *dataset_of(cnn_context *context, int64_t count, int32_t classes, int32_t labels,
                               int32_t value)
{
    cnn_dataset *dataset;
    cnn_tensor *samples = TENSOR(context, CNN_UINT8, count, 8, 8, 3);
    cnn_tensor *numbers = tensor_labels(context, count, labels);
    memset(cnn_tensor_data(samples), value, (size_t)cnn_tensor_count(samples));
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, numbers, classes));
    cnn_tensor_free(samples);
    cnn_tensor_free(numbers);
    return dataset;
}

static void take_loader(struct training *training, cnn_dataset *dataset, int64_t batch)
{
    cnn_loader_free(training->loader);
    EXPECT_OK(cnn_loader_create(&training->loader, dataset, training->model, batch));
    cnn_dataset_free(dataset);
}

static void loader(struct training *training, const double *v)
{
    take_loader(
        training,
        dataset_of(training->context, (int64_t)v[0], (int32_t)v[1], (int32_t)v[2], (int32_t)v[3]),
        (int64_t)v[4]);
}

static void shuffle(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_shuffle(training->loader, (int32_t)v[0], (uint64_t)v[1]));
}

static void crop(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_crop(training->loader, v[0], v[1], v[2]));
}

static void rotation(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_rotation(training->loader, v[0]));
}

static void flip(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_flip(training->loader, v[0]));
}

static void color(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_color(training->loader, v[0], v[1]));
}

static void affine(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_affine(training->loader, v[0], v[1], v[2]));
}

static void tint(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_tint(training->loader, v[0], v[1]));
}

static void erasing(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_random_erasing(training->loader, v[0], v[1], v[2], v[3]));
}

static void mixup(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_mixup(training->loader, v[0]));
}

static void cutmix(struct training *training, const double *v)
{
    EXPECT_OK(cnn_loader_set_cutmix(training->loader, v[0]));
}

/* ---- One row for each setting -------------------------------------------------------------- */

static const struct {
    const char *text; /* part of the message */
    void (*set)(struct training *training, const double *v);
    double first[MOST_VALUES], second[MOST_VALUES];
} settings[] = {
    {"is of another network: classes[0] is missing in it, \"a\" here", classes, {0}, {3}},
    {"is of another network: classes[0] is missing in it, \"a\" here", classes, {0}, {1}},
    {"is of another network: mean[1] is 0.5 in it, 0.25 here", normalization, {0.5, 1}, {0.25, 1}},
    {"network: deviation[1] is 0.5 in it, 0.25 here", normalization, {0.5, 0.5}, {0.5, 0.25}},
    {"is of another training: trainer.loss is \"softmax_cross_entropy\" in it, \"mean_squared_er",
     trainer,
     {CNN_SOFTMAX_CROSS_ENTROPY, 4},
     {CNN_MEAN_SQUARED_ERROR, 4}},
    {"trainer.batch is 4 in it, 5 here",
     trainer,
     {CNN_SOFTMAX_CROSS_ENTROPY, 4},
     {CNN_SOFTMAX_CROSS_ENTROPY, 5}},
    {"trainer.label_smoothing is 0.1 in it, 0 here", smoothing, {0.1}, {0}},
    {"trainer.weights[1] is 2 in it, 3 here", class_weights, {1, 2, 1}, {1, 3, 1}},
    {"trainer.average is 0.9 in it, 0.99 here", average, {0.9}, {0.99}},
    {"trainer.accumulation is 1 in it, 2 here", accumulation, {1}, {2}},
    {"trainer.patience is 4 in it, 5 here", patience, {4}, {5}},
    {"trainer.keep_best is 0 in it, 1 here", keep_best, {0}, {1}},
    {"trainer.flip_averaging is 1 in it, 0 here", flip_averaging, {1}, {0}},

    {"optimizer.learning_rate is 0.01 in it, 0.02 here", rate, {0.01}, {0.02}},
    {"optimizer.weight_decay is 0 in it, 0.5 here", decay, {0}, {0.5}},
    {"optimizer.clip_norm is 0.5 in it, 0 here", clipping, {0.5}, {0}},
    {"optimizer.momentum is 0.9 in it, 0.8 here", sgd, {0.9, 0}, {0.8, 0}},
    {"optimizer.nesterov is 1 in it, 0 here", sgd, {0.9, 1}, {0.9, 0}},
    {"optimizer.beta1 is 0.9 in it, 0.8 here", betas, {0.9, 0.999}, {0.8, 0.999}},
    {"optimizer.beta2 is 0.999 in it, 0.99 here", betas, {0.9, 0.999}, {0.9, 0.99}},
    {"optimizer.epsilon is 1e-8 in it, 1e-6 here", epsilon, {1e-8}, {1e-6}},
    {"optimizer.schedule is 2 in it, 0 here", schedule, {9, 0.0001}, {0}},
    {"optimizer.schedule_steps is 9 in it, 10 here", schedule, {9, 0.0001}, {10, 0.0001}},
    {"optimizer.schedule_factor is 0.5 in it, 0.25 here", steps, {3, 0.5}, {3, 0.25}},
    {"optimizer.final_rate is 0.0001 in it, 0 here", schedule, {9, 0.0001}, {9, 0}},
    {"optimizer.rise is 0.3 in it, 0.4 here", one_cycle, {0.3, 25, 100}, {0.4, 25, 100}},
    {"optimizer.start_divisor is 25 in it, 20 here", one_cycle, {0.3, 25, 100}, {0.3, 20, 100}},
    {"optimizer.final_divisor is 100 in it, 90 here", one_cycle, {0.3, 25, 100}, {0.3, 25, 90}},
    {"optimizer.lowest_momentum is 0.8 in it, 0.7 here", momentum_cycle, {0.8, 0.9}, {0.7, 0.9}},
    {"optimizer.highest_momentum is 0.9 in it, 0.95 here", momentum_cycle, {0.8, 0.9}, {0.8, 0.95}},
    {"optimizer.warmup is 2 in it, 3 here", warmup, {2}, {3}},
    {"optimizer.spares_vectors is 0 in it, 1 here", decay_vectors, {1}, {0}},

    {"loader.dataset.samples is 10 in it, 11 here", loader, {10, 3, 3, 0, 4}, {11, 3, 3, 0, 4}},
    {"loader.dataset.classes is 3 in it, 4 here", loader, {10, 3, 3, 0, 4}, {10, 4, 3, 0, 4}},
    {"loader.dataset.fingerprint is ", loader, {10, 3, 3, 0, 4}, {10, 3, 2, 0, 4}}, /* labels */
    {"loader.dataset.fingerprint is ", loader, {10, 3, 3, 0, 4}, {10, 3, 3, 1, 4}}, /* values */
    {"loader.batch is 4 in it, 3 here", loader, {10, 3, 3, 0, 4}, {10, 3, 3, 0, 3}},
    {"loader.shuffle is 1 in it, 0 here", shuffle, {1, 5}, {0, 5}},
    {"loader.seed is 5 in it, 6 here", shuffle, {1, 5}, {1, 6}},
    {"loader.min_area is 0.6 in it, 0.5 here", crop, {0.6, 1, 1.2}, {0.5, 1, 1.2}},
    {"loader.max_area is 1 in it, 0.9 here", crop, {0.6, 1, 1.2}, {0.6, 0.9, 1.2}},
    {"loader.max_ratio is 1.2 in it, 1.5 here", crop, {0.6, 1, 1.2}, {0.6, 1, 1.5}},
    {"loader.rotation is 0 in it, 1 here", rotation, {0}, {1}},
    {"loader.flip is 0.5 in it, 0.25 here", flip, {0.5}, {0.25}},
    {"loader.brightness is 0.2 in it, 0.1 here", color, {0.2, 0.1}, {0.1, 0.1}},
    {"loader.contrast is 0.1 in it, 0.2 here", color, {0.2, 0.1}, {0.2, 0.2}},
    {"loader.translation is 0 in it, 0.1 here", affine, {0, 0, 0}, {0.1, 0, 0}},
    {"loader.zoom is 0.1 in it, 0.2 here", affine, {0, 0.1, 0}, {0, 0.2, 0}},
    {"loader.shear is 0 in it, 5 here", affine, {0, 0, 0}, {0, 0, 5}},
    {"loader.saturation is 0.5 in it, 0.4 here", tint, {0.5, 10}, {0.4, 10}},
    {"loader.hue is 10 in it, 20 here", tint, {0.5, 10}, {0.5, 20}},
    {"loader.erasing is 1 in it, 0.5 here", erasing, {1, 0.1, 0.2, 2}, {0.5, 0.1, 0.2, 2}},
    {"loader.erasing_min_area is 0.1 in it, 0.15 here",
     erasing,
     {1, 0.1, 0.2, 2},
     {1, 0.15, 0.2, 2}},
    {"loader.erasing_max_area is 0.2 in it, 0.3 here", erasing, {1, 0.1, 0.2, 2}, {1, 0.1, 0.3, 2}},
    {"loader.erasing_max_ratio is 2 in it, 3 here", erasing, {1, 0.1, 0.2, 2}, {1, 0.1, 0.2, 3}},
    {"loader.mixup is 0.2 in it, 0.4 here", mixup, {0.2}, {0.4}},
    {"loader.cutmix is 0 in it, 1 here", cutmix, {0}, {1}},
};

START_TEST(another_setting_is_refused)
{
    struct training first, second;
    const struct training_options options = {.threads = 1};
    training_open(&first, &options);
    settings[_i].set(&first, settings[_i].first);
    step_and_save(&first);
    training_close(&first);
    training_open(&second, &options);
    settings[_i].set(&second, settings[_i].second);
    expect_resume_refused(&second, checkpoint(), CNN_ERROR_INVALID, settings[_i].text);
    settings[_i].set(&second, settings[_i].first);
    if (settings[_i].set != classes) /* which cannot be taken back */
        EXPECT_OK(cnn_trainer_resume(second.trainer, second.loader, checkpoint()));
    training_close(&second);
}
END_TEST

/* ---- Pictures of the same names ------------------------------------------------------------ */

static void take_folder(struct training *training, const char *name)
{
    cnn_dataset *dataset = dataset_open_part(training->context, folder_path("%s", name), CNN_TRAIN);
    take_loader(training, dataset, TRAINING_BATCH);
}

static void make_folder(const char *name, const char *content)
{
    folder_classes(name, 2);
    file_write(folder_path("%s/a/001.jpg", name), content, strlen(content));
}

/* A copy is the same dataset; one of whose files has another size, or another byte, is not. */
START_TEST(the_same_names_with_other_contents)
{
    struct training training;
    const struct training_options options = {.threads = 1};
    make_folder("pictures", "one");
    make_folder("copied", "one");
    make_folder("longer", "ones");
    make_folder("changed", "two");
    training_open(&training, &options);
    take_folder(&training, "pictures");
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, checkpoint()));
    take_folder(&training, "longer");
    expect_resume_refused(&training, checkpoint(), CNN_ERROR_INVALID,
                          "loader.dataset.fingerprint is ");
    take_folder(&training, "changed");
    expect_resume_refused(&training, checkpoint(), CNN_ERROR_INVALID,
                          "loader.dataset.fingerprint is ");
    take_folder(&training, "copied");
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, checkpoint()));
    training_close(&training);
}
END_TEST

static Suite *checkpoint_others_suite(void)
{
    Suite *suite = suite_create("checkpoint_others");
    TCase *tcase = tcase_create("checkpoint_others");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_loop_test(tcase, another_training_is_refused, 0, CNNI_COUNT(others));
    tcase_add_loop_test(tcase, another_setting_is_refused, 0, CNNI_COUNT(settings));
    tcase_add_test(tcase, the_same_names_with_other_contents);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_others_suite());
}
