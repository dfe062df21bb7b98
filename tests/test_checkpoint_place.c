/* SPDX-License-Identifier: MIT
 * The place in a checkpoint that is written when cnn_trainer_fit() is over: where that stopped, as
 * long as nobody has gone on or moved the loader; else where the loader is. */
#include "model/trainer_internal.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/suite.h"
#include "support/trainings.h"

static const struct training_options usual = {.threads = 0};
static struct training training;

static void save(void)
{
    EXPECT_OK(
        cnn_trainer_save_checkpoint(training.trainer, training.loader, folder_path("place.ckpt")));
}

/* Opens the training anew, from the checkpoint. */
static void reopen(void)
{
    training_close(&training);
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, folder_path("place.ckpt")));
}

/* Stops at moment `at`, from 1, or runs through. */
static void run_until(int32_t at)
{
    training_open(&training, &usual);
    training.stop_at = at;
    ck_assert_int_eq(training_fit(&training), at <= MOST_MOMENTS ? CNN_ERROR_CANCELLED : CNN_OK);
}

static void expect_place(int64_t epoch, int64_t loader_epoch, int64_t batch)
{
    ck_assert_int_eq(cnn_trainer_epoch(training.trainer), epoch);
    ck_assert_int_eq(cnn_loader_epoch(training.loader), loader_epoch);
    ck_assert_int_eq(cnn_loader_batch(training.loader), batch);
}

/* Saved twice, before and after resuming, so that both are looked at. */
START_TEST(saved_behind_fit_it_goes_on_there)
{
    run_until(MOST_MOMENTS + 1);
    const uint64_t hash = training_hash(&training);
    training_close(&training);
    for (int32_t at = 1; at <= MOST_MOMENTS + 1; at++) {
        run_until(at);
        save();
        reopen();
        save();
        reopen();
        ck_assert_int_eq(cnn_trainer_epoch(training.trainer),
                         at > MOST_MOMENTS ? TRAINING_EPOCHS + 1 : 1 + at / TRAINING_MOMENTS);
        EXPECT_OK(training_fit(&training));
        ck_assert_uint_eq(training_hash(&training), hash);
        ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), TRAINING_EPOCHS * TRAINING_STEPS);
        training_close(&training);
    }
}
END_TEST

/* What came before is over: where the loader was put is the first epoch of something new. */
START_TEST(the_loader_has_the_last_word)
{
    static const int64_t places[][2] = {{7, 0}, {7, 1}, {0, 1}, {2, 1}, {7, TRAINING_STEPS}};
    for (int32_t at = 1; at <= MOST_MOMENTS + 1; at++)
        for (int32_t i = 0; i < 5; i++) {
            run_until(at);
            if (i % 2 == 1) { /* behind a resumed one too */
                save();
                reopen();
            }
            EXPECT_OK(cnn_loader_start_at(training.loader, places[i][0], places[i][1]));
            const bool is_there = places[i][0] == 2 && at == 2 * TRAINING_MOMENTS + 1;
            save();
            reopen();
            expect_place(is_there ? 3 : 1, places[i][0], places[i][1]);
            training_close(&training);
        }
}
END_TEST

/* The epoch in whose middle it was stopped, from its beginning. */
START_TEST(the_same_epoch_begun_again)
{
    run_until(TRAINING_MOMENTS + 2);
    expect_place(2, 1, 2);
    EXPECT_OK(cnn_loader_start(training.loader, 1));
    save();
    reopen();
    expect_place(1, 1, 0);
    training_close(&training);
}
END_TEST

/* A new loader may lie where one was that is gone. */
START_TEST(another_loader_at_the_same_address)
{
    run_until(MOST_MOMENTS + 1);
    ck_assert_ptr_eq(training.trainer->place.loader, training.loader);
    cnn_loader *const kept = training.loader;
    EXPECT_OK(cnn_loader_start(training.validation, 0));
    training.trainer->place.loader = training.loader = training.validation;
    save();
    training.loader = kept;
    training_close(&training);
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.validation, folder_path("place.ckpt")));
    ck_assert_int_eq(cnn_trainer_epoch(training.trainer), 1);
    ck_assert_int_eq(cnn_loader_epoch(training.validation), 0);
    training_close(&training);
}
END_TEST

/* Saving is looking: what was resumed is still to be gone on with. */
START_TEST(saving_moves_nothing)
{
    training_open(&training, &usual);
    save();
    reopen();
    EXPECT_OK(cnn_loader_start(training.loader, 3));
    save();
    EXPECT_OK(training_fit(&training));
    ck_assert_int_eq(cnn_loader_epoch(training.loader), TRAINING_EPOCHS);
    training_close(&training);
}
END_TEST

/* The place of a running training is that of its own loader. */
static void save_for_another(struct training *of, int32_t call)
{
    (void)call;
    EXPECT_FAILS(
        cnn_trainer_save_checkpoint(of->trainer, of->validation, folder_path("other.ckpt")),
        CNN_ERROR_INVALID, "cnn_trainer_save_checkpoint", "loader is not the one");
}

START_TEST(a_running_training_has_one_loader)
{
    training_open(&training, &usual);
    training.act = save_for_another;
    EXPECT_OK(training_fit(&training));
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), TRAINING_EPOCHS * TRAINING_STEPS);
    training_close(&training);
}
END_TEST

static Suite *checkpoint_place_suite(void)
{
    Suite *suite = suite_create("checkpoint_place");
    TCase *tcase = tcase_create("checkpoint_place");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, saved_behind_fit_it_goes_on_there);
    tcase_add_test(tcase, the_loader_has_the_last_word);
    tcase_add_test(tcase, the_same_epoch_begun_again);
    tcase_add_test(tcase, another_loader_at_the_same_address);
    tcase_add_test(tcase, saving_moves_nothing);
    tcase_add_test(tcase, a_running_training_has_one_loader);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_place_suite());
}
