/* SPDX-License-Identifier: MIT
 * Reading and replacing files while every system call fails in every way, on full disks, and while
 * others change the file.  What must never happen: test_file.c. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cnn/status.h"
#include "support/expect.h"
#include "support/files.h"
#include "support/folders.h"
#include "support/skip.h"
#include "support/suite.h"

static cnn_context *context;

static void set_up(void)
{
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
}

static void tear_down(void)
{
    cnni_file_set_calls(NULL);
    cnn_context_free(context);
}

/* ---- Calls that fail ----------------------------------------------------------------------- */

/* Number `at` of the calls, counted from 1, fails with `error`, or does half its work. */
static struct {
    int32_t at, count;
    int error;
    bool half;
    bool renamed;            /* a rename has succeeded */
    bool hit;                /* the call was reached */
    bool early;              /* it failed for good before that */
    void (*meanwhile)(void); /* done before each read */
} fault;

static bool fails(void)
{
    if (++fault.count != fault.at || fault.half)
        return false;
    fault.hit = true;
    fault.early = !fault.renamed && fault.error != EINTR;
    errno = fault.error;
    return true;
}

static size_t shorten(size_t size)
{
    if (fault.count != fault.at || !fault.half || size < 2)
        return size;
    fault.hit = true;
    return size / 2;
}

static int faulty_openat(int folder, const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : openat(folder, path, flags, mode);
}

static int faulty_fstat(int file, struct stat *status)
{
    return fails() ? -1 : fstat(file, status);
}

static ssize_t faulty_read(int file, void *buffer, size_t size)
{
    if (fault.meanwhile != NULL)
        fault.meanwhile();
    return fails() ? -1 : read(file, buffer, shorten(size));
}

static ssize_t faulty_write(int file, const void *buffer, size_t size)
{
    return fails() ? -1 : write(file, buffer, shorten(size));
}

static int faulty_fchmod(int file, mode_t mode)
{
    return fails() ? -1 : fchmod(file, mode);
}

static int faulty_fsync(int file)
{
    return fails() ? -1 : fsync(file);
}

/* As in Linux, the file is closed whatever the result. */
static int faulty_close(int file)
{
    close(file);
    return fails() ? -1 : 0;
}

static int faulty_rename(const char *from, const char *to)
{
    if (fails())
        return -1;
    fault.renamed = rename(from, to) == 0;
    return fault.renamed ? 0 : -1;
}

static int faulty_unlink(const char *path)
{
    return fails() ? -1 : unlink(path);
}

static const struct cnni_file_calls faulty_calls = {
    faulty_openat, faulty_fstat, faulty_read,   faulty_write,  faulty_fchmod,
    faulty_fsync,  faulty_close, faulty_rename, faulty_unlink,
};

static const struct {
    int error;
    bool half;
    cnn_status status;
    const char *text;
} faults[] = {
    {EIO, false, CNN_ERROR_IO, "Input/output error"},
    {ENOSPC, false, CNN_ERROR_IO, "No space left on device"},
    {EDQUOT, false, CNN_ERROR_IO, "Disk quota exceeded"},
    {EMFILE, false, CNN_ERROR_MEMORY, "Too many open files"},
    {ENFILE, false, CNN_ERROR_MEMORY, "Too many open files in system"},
    {ENOMEM, false, CNN_ERROR_MEMORY, "Cannot allocate memory"},
    {EINTR, false, CNN_OK, ""},
    {0, true, CNN_OK, ""},
};

static void plan_fault(int32_t kind, int32_t at)
{
    memset(&fault, 0, sizeof fault);
    fault.at = at;
    fault.error = faults[kind].error;
    fault.half = faults[kind].half;
    cnni_file_set_calls(&faulty_calls);
}

/* One failure in one call, replacing a file or making one; whether the call was reached. */
static bool replace_with_fault(int32_t kind, int32_t at, bool existing)
{
    const char *folder = folder_make(folder_path("folder"));
    const char *path = folder_path("folder/file");
    int32_t files = files_open();
    if (existing)
        file_write(path, old_bytes, OLD_SIZE);
    plan_fault(kind, at);
    cnn_status status = file_replace(context, path, new_bytes, NEW_SIZE);
    cnni_file_set_calls(NULL);
    bool replaced = file_holds(path, new_bytes, NEW_SIZE);
    if (status == CNN_OK) {
        ck_assert_msg(replaced, "call %d: success without the file", at);
        ck_assert_msg(!fault.early, "call %d: its failure was passed over", at);
    } else {
        EXPECT_FAILS(status, faults[kind].status, "test", faults[kind].text);
        ck_assert_msg(strstr(cnn_error_message(), "folder/file") != NULL, "%s",
                      cnn_error_message());
        bool old = existing ? file_holds(path, old_bytes, OLD_SIZE) : access(path, F_OK) != 0;
        ck_assert_msg(fault.renamed ? replaced : old, "call %d: the file is damaged", at);
        ck_assert_msg(faults[kind].error != EINTR && !faults[kind].half, "call %d: not tried again",
                      at);
    }
    ck_assert_int_eq(folder_entries(folder), existing || replaced);
    ck_assert_int_eq(files_open(), files);
    folder_remove(folder);
    return fault.hit || fault.count >= at;
}

START_TEST(writing_survives_any_failure)
{
    for (int32_t existing = 0; existing < 2; existing++) {
        int32_t at = 1;
        while (replace_with_fault(_i, at, existing != 0))
            at++;
        ck_assert_int_ge(at, 9); /* 2 open, 2 write, 2 fsync, 2 close, rename */
    }
}
END_TEST

/* Only one failure can come after the renaming, and it leaves the new file. */
START_TEST(an_unsynced_folder_is_told)
{
    const char *path = folder_path("unsynced");
    file_write(path, old_bytes, OLD_SIZE);
    bool met = false;
    for (int32_t at = 1; at < 20; at++) {
        plan_fault(0, at);
        cnn_status status = file_replace(context, path, new_bytes, NEW_SIZE);
        if (fault.renamed && status != CNN_OK) {
            ck_assert(!met);
            met = true;
            EXPECT_FAILS(status, CNN_ERROR_IO, "test", "cannot make sure of the renaming");
        }
    }
    ck_assert(met);
}
END_TEST

START_TEST(reading_survives_any_failure)
{
    const char *path = folder_path("readable");
    file_write(path, new_bytes, NEW_SIZE);
    int32_t files = files_open(), at = 1;
    for (bool more = true; more; at++) {
        void *bytes = &bytes;
        size_t size = 1;
        plan_fault(_i, at);
        cnn_status status = file_read_back(context, path, &bytes, &size);
        more = fault.hit || fault.count >= at;
        if (status == CNN_OK) {
            ck_assert_uint_eq(size, NEW_SIZE);
            ck_assert_mem_eq(bytes, new_bytes, NEW_SIZE);
            ck_assert_int_eq(((char *)bytes)[size], 0);
            cnni_free(context, bytes);
        } else {
            EXPECT_FAILS(status, faults[_i].status, "test", faults[_i].text);
            ck_assert(faults[_i].error != EINTR && !faults[_i].half);
            ck_assert(bytes == NULL && size == 0);
        }
        ck_assert_int_eq(files_open(), files);
    }
    ck_assert_int_ge(at, 5); /* open, fstat, read, read of nothing, close */
}
END_TEST

START_TEST(reading_a_start_survives_any_failure)
{
    const char *path = folder_path("started");
    char bytes[NEW_SIZE + 1];
    file_write(path, new_bytes, NEW_SIZE);
    const int32_t files = files_open();
    int32_t at = 1;
    for (bool more = true; more; at++) {
        int64_t whole = 0;
        plan_fault(_i, at);
        const ssize_t got = cnni_file_read_start(bytes, sizeof bytes, &whole, path, SIZE_MAX);
        const int error = errno;
        more = fault.hit || fault.count >= at;
        if (got >= 0) {
            ck_assert(got == NEW_SIZE && whole == NEW_SIZE);
            ck_assert_mem_eq(bytes, new_bytes, NEW_SIZE);
        } else {
            ck_assert_int_eq(error, faults[_i].error);
            ck_assert(error != EINTR && !faults[_i].half);
        }
        ck_assert_int_eq(files_open(), files);
    }
    ck_assert_int_ge(at, 5);
}
END_TEST

static char changing[512];

static void shrink_file(void)
{
    ck_assert_int_eq(truncate(changing, 10), 0);
}

static void grow_file(void)
{
    ck_assert_int_eq(truncate(changing, NEW_SIZE + 10), 0);
}

START_TEST(a_file_that_changes_is_told)
{
    static void (*const changes[])(void) = {shrink_file, grow_file};
    void *bytes;
    size_t size;
    snprintf(changing, sizeof changing, "%s", folder_path("changing"));
    file_write(changing, new_bytes, NEW_SIZE);
    plan_fault(0, 0);
    fault.meanwhile = changes[_i];
    EXPECT_FAILS(file_read_back(context, changing, &bytes, &size), CNN_ERROR_IO, "test",
                 "changed its size");
    ck_assert_ptr_null(bytes);
}
END_TEST

/* ---- Real failures ------------------------------------------------------------------------- */

static int full_device = -1;

static ssize_t write_to_full_device(int file, const void *buffer, size_t size)
{
    (void)file;
    return write(full_device, buffer, size);
}

START_TEST(a_full_disk_leaves_the_old_file)
{
    struct cnni_file_calls full = faulty_calls;
    const char *path = folder_path("full");
    file_write(path, old_bytes, OLD_SIZE);
    full_device = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full_device < 0) {
        skip("/dev/full", "no /dev/full");
        return;
    }
    full.write = write_to_full_device;
    memset(&fault, 0, sizeof fault);
    cnni_file_set_calls(&full);
    EXPECT_FAILS(file_replace(context, path, new_bytes, NEW_SIZE), CNN_ERROR_IO, "test",
                 "No space left on device");
    close(full_device);
    ck_assert(file_holds(path, old_bytes, OLD_SIZE));
}
END_TEST

START_TEST(a_file_size_limit_leaves_the_old_file)
{
    const char *folder = folder_make(folder_path("small"));
    const char *path = folder_path("small/file");
    const struct rlimit limit = {2048, 2048};
    file_write(path, old_bytes, OLD_SIZE);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_FAILS(file_replace(context, path, new_bytes, NEW_SIZE), CNN_ERROR_IO, "test",
                 "File too large");
    ck_assert(file_holds(path, old_bytes, OLD_SIZE));
    ck_assert_int_eq(folder_entries(folder), 1);
}
END_TEST

static Suite *file_faults_suite(void)
{
    Suite *suite = suite_create("file_faults");
    TCase *tcase = tcase_create("faults");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, writing_survives_any_failure, 0, CNNI_COUNT(faults));
    tcase_add_loop_test(tcase, reading_survives_any_failure, 0, CNNI_COUNT(faults));
    tcase_add_loop_test(tcase, reading_a_start_survives_any_failure, 0, CNNI_COUNT(faults));
    tcase_add_test(tcase, an_unsynced_folder_is_told);
    tcase_add_loop_test(tcase, a_file_that_changes_is_told, 0, 2);
    tcase_add_test(tcase, a_full_disk_leaves_the_old_file);
    tcase_add_test(tcase, a_file_size_limit_leaves_the_old_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    fill_bytes();
    return run_suite(file_faults_suite());
}
