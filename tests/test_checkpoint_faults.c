/* SPDX-License-Identifier: MIT
 * Checkpoints that cannot be written, memory that runs out, and calls at the wrong time: the
 * training goes on, what was good stays, and the text says why.  That a file is replaced by all of
 * another or not at all, whatever call fails: test_file_faults.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/model_internal.h"
#include "support/expect.h"
#include "support/files.h"
#include "support/folders.h"
#include "support/log_lines.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/trainings.h"

static const struct training_options usual = {.threads = 1};

/* Calls of the functions that fail, counted over a test, of which those from `first` to `last`
 * do. */
static struct {
    int32_t count, first, last, error;
} fault;

static bool fails(void)
{
    fault.count++;
    errno = fault.error;
    return fault.count >= fault.first && fault.count <= fault.last;
}

static ssize_t faulty_write(int file, const void *bytes, size_t size)
{
    return fails() ? -1 : write(file, bytes, size);
}

static int faulty_rename(const char *from, const char *to)
{
    return fails() ? -1 : rename(from, to);
}

static int faulty_fsync(int file)
{
    return fails() ? -1 : fsync(file);
}

/* Makes the calls number `first` to `last` of writing, syncing or renaming fail. */
static void plan_fault(int32_t which, int32_t first, int32_t last, int32_t error)
{
    static struct cnni_file_calls calls;
    calls = *cnni_file_system_calls();
    if (which == 0)
        calls.write = faulty_write;
    else if (which == 1)
        calls.rename = faulty_rename;
    else
        calls.fsync = faulty_fsync;
    fault.count = 0;
    fault.first = first;
    fault.last = last;
    fault.error = error;
    cnni_file_set_calls(&calls);
}

static void set_up(void)
{
    cnni_file_set_calls(NULL);
}

/* ---- While training ------------------------------------------------------------------------ */

static cnn_status statuses[MOST_MOMENTS + 1];

static void note_status(struct training *training, int32_t call)
{
    statuses[call - 1] = cnn_trainer_checkpoint_status(training->trainer);
}

/* The second of three checkpoints fails: told in the log and by the getter, until the third; the
 * first is in its place meanwhile; the training is the same. */
START_TEST(a_failure_does_not_stop_the_training)
{
    static const int32_t errors[] = {ENOSPC, EIO, EDQUOT};
    static struct log_lines log;
    static const int32_t per_checkpoint[] = {1, 1, 2}; /* file and folder are synced */
    const char *path = folder_path("failing.ckpt");
    struct training training, wanted;
    training_open(&wanted, &usual);
    EXPECT_OK(training_fit(&wanted));
    training_open(&training, &usual);
    log_lines_keep(&log, training.context);
    training.act = note_status;
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, 0));
    plan_fault(_i, per_checkpoint[_i] + 1, per_checkpoint[_i] + 1, errors[_i]);
    EXPECT_OK(training_fit(&training));
    cnni_file_set_calls(NULL);
    ck_assert_uint_eq(training_hash(&training), training_hash(&wanted));
    expect_same_moments(&training, &wanted, 0);
    ck_assert_int_eq(log.count, 1);
    ck_assert_ptr_nonnull(strstr(log.text[0], "a checkpoint was not written: "));
    ck_assert_ptr_nonnull(strstr(log.text[0], "failing.ckpt"));
    ck_assert_ptr_nonnull(strstr(log.text[0], strerror(errors[_i])));
    for (int32_t i = 0; i < MOST_MOMENTS; i++)
        ck_assert_int_eq(statuses[i], i / TRAINING_MOMENTS == 2 ? CNN_ERROR_IO : CNN_OK);
    EXPECT_OK(cnn_trainer_checkpoint_status(training.trainer));
    training_close(&training);
    training_close(&wanted);
}
END_TEST

/* All but the first fail: that one stays, and can be resumed. */
START_TEST(the_last_good_one_stays)
{
    const char *path = folder_path("staying.ckpt");
    struct training training, wanted;
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, 1e-9));
    plan_fault(0, 2, INT32_MAX, ENOSPC);
    training.stop_at = MOST_MOMENTS - 4;
    ck_assert_int_eq(training_fit(&training), CNN_ERROR_CANCELLED);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "stopped by the progress callback"));
    ck_assert_int_eq(cnn_trainer_checkpoint_status(training.trainer), CNN_ERROR_IO);
    cnni_file_set_calls(NULL);
    training_close(&training);
    training_open(&wanted, &usual);
    EXPECT_OK(training_fit(&wanted));
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), 1);
    EXPECT_OK(training_fit(&training));
    ck_assert_uint_eq(training_hash(&training), training_hash(&wanted));
    training_close(&training);
    training_close(&wanted);
}
END_TEST

static void remove_folder(struct training *training, int32_t call)
{
    (void)training;
    if (call == 2)
        folder_remove(folder_path("gone"));
}

START_TEST(a_folder_that_has_gone)
{
    static struct log_lines log;
    struct training training;
    folder_make(folder_path("gone"));
    training_open(&training, &usual);
    log_lines_keep(&log, training.context);
    training.act = remove_folder;
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, folder_path("gone/saved.ckpt"), 0));
    EXPECT_OK(training_fit(&training));
    ck_assert_int_eq(cnn_trainer_checkpoint_status(training.trainer), CNN_ERROR_IO);
    ck_assert_int_eq(log.count, TRAINING_EPOCHS);
    ck_assert_ptr_nonnull(strstr(log.text[0], "No such file or directory"));
    training_close(&training);
}
END_TEST

/* Asked for by the caller, a failure is the call's. */
START_TEST(a_failure_of_ones_own)
{
    const char *path = folder_path("own.ckpt");
    struct training training;
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    plan_fault(0, 1, 1, ENOSPC);
    EXPECT_FAILS(cnn_trainer_save_checkpoint(training.trainer, training.loader, path), CNN_ERROR_IO,
                 "cnn_trainer_save_checkpoint", "No space left");
    cnni_file_set_calls(NULL);
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    training_close(&training);
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------- */

/* Each allocation of writing and of resuming fails in turn: nothing has changed or is left. */
START_TEST(without_memory_nothing_changes)
{
    const char *path = folder_path("memory.ckpt"), *other = folder_path("poor.ckpt");
    struct training training;
    training_open(&training, &usual);
    struct accounts *accounts = &training.accounts;
    training.stop_at = 2;
    EXPECT_OK(cnn_trainer_set_note(training.trainer, "a note"));
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, path, 0));
    ck_assert_int_eq(training_fit(&training), CNN_ERROR_CANCELLED);
    const uint64_t saved = training_hash(&training);
    training.stop_at = 0;
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, NULL, 0));
    training.moment_count = 0;
    EXPECT_OK(training_fit(&training));
    EXPECT_OK(cnn_trainer_set_note(training.trainer, NULL));
    const uint64_t hash = training_hash(&training);
    const int64_t blocks = accounts->blocks;
    cnn_status status = CNN_ERROR_MEMORY;
    int32_t allowed = 0;
    for (; status != CNN_OK; allowed++) {
        accounts->refuse_at = accounts->calls + 1 + allowed;
        status = cnn_trainer_save_checkpoint(training.trainer, training.loader, other);
        accounts->refuse_at = 0;
        ck_assert_msg(status == CNN_OK || status == CNN_ERROR_MEMORY, "%d: %s", allowed,
                      cnn_error_message());
        ck_assert_int_eq(access(other, F_OK) == 0, status == CNN_OK);
        ck_assert_int_eq(accounts->blocks, blocks);
    }
    ck_assert_int_gt(allowed, 12);
    status = CNN_ERROR_MEMORY;
    for (allowed = 0; status != CNN_OK; allowed++) {
        accounts->refuse_at = accounts->calls + 1 + allowed;
        status = cnn_trainer_resume(training.trainer, training.loader, path);
        accounts->refuse_at = 0;
        ck_assert_msg(status == CNN_OK || status == CNN_ERROR_MEMORY, "%d: %s", allowed,
                      cnn_error_message());
        ck_assert_uint_eq(training_hash(&training), status == CNN_OK ? saved : hash);
        ck_assert_str_eq(cnn_trainer_note(training.trainer), status == CNN_OK ? "a note" : "");
        ck_assert_int_eq(accounts->blocks, blocks + (status == CNN_OK));
    }
    ck_assert_int_gt(allowed, 10);
    training_close(&training);
}
END_TEST

/* ---- At the wrong time --------------------------------------------------------------------- */

static void resume_meanwhile(struct training *training, int32_t call)
{
    (void)call;
    EXPECT_FAILS(cnn_trainer_resume(training->trainer, training->loader, folder_path("time.ckpt")),
                 CNN_ERROR_STATE, "cnn_trainer_resume", "cnn_trainer_fit() is running");
}

START_TEST(not_while_others_are_at_it)
{
    const char *path = folder_path("time.ckpt");
    struct training training;
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    training.act = resume_meanwhile;
    EXPECT_OK(training_fit(&training));
    const uint64_t hash = training_hash(&training);
    EXPECT_OK(cnni_weight_gate_enter_reading(training.model->gate, "test"));
    EXPECT_FAILS(cnn_trainer_resume(training.trainer, training.loader, path), CNN_ERROR_STATE,
                 "cnn_trainer_resume", "model");
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path)); /* reads */
    cnni_weight_gate_leave(training.model->gate);
    EXPECT_OK(cnni_weight_gate_enter_writing(training.model->gate, "test"));
    EXPECT_FAILS(cnn_trainer_save_checkpoint(training.trainer, training.loader, path),
                 CNN_ERROR_STATE, "cnn_trainer_save_checkpoint", "model");
    cnni_weight_gate_leave(training.model->gate);
    ck_assert_uint_eq(training_hash(&training), hash);
    training_close(&training);
}
END_TEST

START_TEST(a_resumed_training_goes_over_its_loader)
{
    const char *path = folder_path("loader.ckpt");
    struct training training;
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_save_checkpoint(training.trainer, training.loader, path));
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader, path));
    EXPECT_FAILS(cnn_trainer_fit(training.trainer, training.validation, NULL, 1, NULL, NULL),
                 CNN_ERROR_INVALID, "cnn_trainer_fit", "training is not the loader");
    EXPECT_OK(training_fit(&training)); /* which is then no longer awaited */
    EXPECT_OK(cnn_trainer_fit(training.trainer, training.validation, NULL, 1, NULL, NULL));
    training_close(&training);
}
END_TEST

START_TEST(arguments_that_are_none)
{
    char buffer[8];
    struct training training;
    training_open(&training, &usual);
    cnn_trainer *trainer = training.trainer;
    EXPECT_FAILS(cnn_trainer_set_checkpoint(NULL, "a", 0), CNN_ERROR_INVALID,
                 "cnn_trainer_set_checkpoint", "trainer");
    EXPECT_FAILS(cnn_trainer_set_checkpoint(trainer, "a", -1), CNN_ERROR_INVALID,
                 "cnn_trainer_set_checkpoint", "minutes is -1");
    EXPECT_FAILS(cnn_trainer_set_checkpoint(trainer, "a", 0.0 / 0.0), CNN_ERROR_INVALID,
                 "cnn_trainer_set_checkpoint", "minutes is");
    EXPECT_FAILS(cnn_trainer_save_checkpoint(NULL, training.loader, "a"), CNN_ERROR_INVALID,
                 "cnn_trainer_save_checkpoint", "trainer");
    EXPECT_FAILS(cnn_trainer_save_checkpoint(trainer, NULL, "a"), CNN_ERROR_INVALID,
                 "cnn_trainer_save_checkpoint", "loader");
    EXPECT_FAILS(cnn_trainer_save_checkpoint(trainer, training.loader, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_save_checkpoint", "path");
    EXPECT_FAILS(cnn_trainer_resume(NULL, training.loader, "a"), CNN_ERROR_INVALID,
                 "cnn_trainer_resume", "trainer");
    EXPECT_FAILS(cnn_trainer_resume(trainer, NULL, "a"), CNN_ERROR_INVALID, "cnn_trainer_resume",
                 "loader");
    EXPECT_FAILS(cnn_trainer_resume(trainer, training.loader, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_resume", "path");
    EXPECT_FAILS(cnn_trainer_set_note(NULL, ""), CNN_ERROR_INVALID, "cnn_trainer_set_note",
                 "trainer");
    EXPECT_FAILS(cnn_checkpoint_note(NULL, 8, training.context, "a"), CNN_ERROR_INVALID,
                 "cnn_checkpoint_note", "buffer");
    EXPECT_FAILS(cnn_checkpoint_note(buffer, 0, training.context, "a"), CNN_ERROR_INVALID,
                 "cnn_checkpoint_note", "buffer");
    EXPECT_FAILS(cnn_checkpoint_note(buffer, 8, NULL, "a"), CNN_ERROR_INVALID,
                 "cnn_checkpoint_note", "context");
    EXPECT_FAILS(cnn_checkpoint_note(buffer, 8, training.context, NULL), CNN_ERROR_INVALID,
                 "cnn_checkpoint_note", "path");
    EXPECT_FAILS(cnn_checkpoint_note(buffer, 8, training.context, folder_path("none")),
                 CNN_ERROR_NOT_FOUND, "cnn_checkpoint_note", "No such file");
    ck_assert_str_eq(cnn_trainer_note(NULL), "");
    ck_assert_int_eq(cnn_trainer_epoch(NULL), 1);
    EXPECT_OK(cnn_trainer_checkpoint_status(NULL));
    training_close(&training);
}
END_TEST

static Suite *checkpoint_faults_suite(void)
{
    Suite *suite = suite_create("checkpoint_faults");
    TCase *tcase = tcase_create("checkpoint_faults");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, set_up);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, a_failure_does_not_stop_the_training, 0, 3);
    tcase_add_test(tcase, the_last_good_one_stays);
    tcase_add_test(tcase, a_folder_that_has_gone);
    tcase_add_test(tcase, a_failure_of_ones_own);
    tcase_add_test(tcase, without_memory_nothing_changes);
    tcase_add_test(tcase, not_while_others_are_at_it);
    tcase_add_test(tcase, a_resumed_training_goes_over_its_loader);
    tcase_add_test(tcase, arguments_that_are_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_faults_suite());
}
