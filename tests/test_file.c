/* SPDX-License-Identifier: MIT
 * Reading and replacing files: odd targets, several threads at a time, and processes killed in the
 * middle.  What must never happen: a target that is neither the old nor the new file, and a
 * temporary file left by a call that returned.  Failing system calls: test_file_faults.c. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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
    cnn_context_free(context);
}

/* ---- Reading ------------------------------------------------------------------------------- */

START_TEST(a_file_is_read_whole)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, NEW_SIZE};
    for (int32_t i = 0; i < CNNI_COUNT(sizes); i++) {
        const char *path = folder_path("whole");
        void *bytes;
        size_t size;
        file_write(path, new_bytes, sizes[i]);
        ck_assert_int_eq(file_read_back(context, path, &bytes, &size), CNN_OK);
        ck_assert_uint_eq(size, sizes[i]);
        ck_assert(memcmp(bytes, new_bytes, size) == 0);
        ck_assert_int_eq(((char *)bytes)[size], 0);
        cnni_free(context, bytes);
    }
}
END_TEST

START_TEST(what_is_no_file_is_not_read)
{
    void *bytes;
    size_t size;
    const char *fifo = folder_path("fifo"), *file = folder_path("plain");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    file_write(file, "x", 1);
    EXPECT_FAILS(file_read_back(context, folder_path("missing"), &bytes, &size),
                 CNN_ERROR_NOT_FOUND, "test", "missing\": No such file or directory");
    EXPECT_FAILS(file_read_back(context, folder_path("plain/file"), &bytes, &size),
                 CNN_ERROR_NOT_FOUND, "test", "Not a directory");
    EXPECT_FAILS(file_read_back(context, "", &bytes, &size), CNN_ERROR_NOT_FOUND, "test", "\"\"");
    EXPECT_FAILS(file_read_back(context, folder_path("."), &bytes, &size), CNN_ERROR_IO, "test",
                 "is a folder");
    EXPECT_FAILS(file_read_back(context, fifo, &bytes, &size), CNN_ERROR_IO, "test",
                 "must be a regular file");
    EXPECT_FAILS(file_read_back(context, "/dev/zero", &bytes, &size), CNN_ERROR_IO, "test",
                 "must be a regular file");
    EXPECT_FAILS(file_read_back(context, folder_path("new\nline"), &bytes, &size),
                 CNN_ERROR_NOT_FOUND, "test", "new\\x0Aline");
}
END_TEST

static cnn_status read_below(const char *path, size_t root)
{
    void *bytes;
    size_t size;
    int32_t files = files_open();
    cnn_status status =
        cnni_file_read_below(&bytes, &size, context, path, root, CNN_LIMIT_MODEL_BYTES, "test");
    cnni_free(context, bytes);
    ck_assert_int_eq(files_open(), files);
    return status;
}

START_TEST(links_are_followed_unless_told)
{
    void *bytes;
    size_t size, root = strlen(folder_path("link target")) - strlen("/link target");
    const char *target = folder_path("link target"), *link = folder_path("link to read");
    file_write(target, "text", 4);
    ck_assert_int_eq(symlink(target, link), 0);
    ck_assert_int_eq(file_read_back(context, link, &bytes, &size), CNN_OK);
    ck_assert_uint_eq(size, 4);
    cnni_free(context, bytes);
    EXPECT_FAILS(read_below(link, root), CNN_ERROR_IO, "test", "is or lies behind a symbolic link");
    EXPECT_OK(read_below(link, strlen(link)));
    EXPECT_OK(read_below(target, root));
}
END_TEST

START_TEST(nothing_below_a_root_may_be_a_link)
{
    char longer[5000];
    const char *base = folder_make(folder_path("below"));
    size_t root = strlen(base);
    folder_make(folder_path("below/a"));
    folder_make(folder_path("below/a/b"));
    file_write(folder_path("below/a/b/file"), "text", 4);
    ck_assert_int_eq(symlink("a", folder_path("below/link")), 0);
    ck_assert_int_eq(symlink("../a/b", folder_path("below/a/link")), 0);
    EXPECT_OK(read_below(folder_path("below/a/b/file"), root));
    EXPECT_OK(read_below(folder_path("below/a//b///file"), root));
    EXPECT_OK(read_below(folder_path("below/link/b/file"), root + strlen("/link")));
    EXPECT_OK(read_below(folder_path("below/link/b/file"), root + strlen("/link/")));
    EXPECT_FAILS(read_below(folder_path("below/link/b/file"), root), CNN_ERROR_IO, "test",
                 "below/link/b/file\" is or lies behind a symbolic link, must be a regular file");
    EXPECT_FAILS(read_below(folder_path("below/a/link/file"), root), CNN_ERROR_IO, "test",
                 "behind a symbolic link");
    EXPECT_FAILS(read_below(folder_path("below/a/b/file/x"), root), CNN_ERROR_NOT_FOUND, "test",
                 "Not a directory");
    EXPECT_FAILS(read_below(folder_path("below/a/none/file"), root), CNN_ERROR_NOT_FOUND, "test",
                 "No such file");
    EXPECT_FAILS(read_below(folder_path("below/a/b/"), root), CNN_ERROR_NOT_FOUND, "test", "");
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    EXPECT_FAILS(read_below(longer, 1), CNN_ERROR_IO, "test", "File name too long");
}
END_TEST

/* Reads up to 100 bytes of a file and its size; returns how many bytes, or -errno. */
static int64_t read_start(const char *path, size_t root, int64_t *whole)
{
    char bytes[100];
    const int32_t files = files_open();
    const ssize_t got = cnni_file_read_start(bytes, sizeof bytes, whole, path, root);
    const int error = errno;
    ck_assert_int_eq(files_open(), files);
    if (got < 0)
        return -error;
    ck_assert(memcmp(bytes, new_bytes, (size_t)got) == 0);
    return got;
}

START_TEST(the_start_of_a_file_is_read)
{
    static const int64_t sizes[] = {0, 1, 99, 100, 101, NEW_SIZE};
    const char *path = folder_path("start");
    int64_t whole;
    for (int32_t i = 0; i < CNNI_COUNT(sizes); i++) {
        file_write(path, new_bytes, (size_t)sizes[i]);
        ck_assert_int_eq(read_start(path, SIZE_MAX, &whole), CNNI_MIN(sizes[i], 100));
        ck_assert_int_eq(whole, sizes[i]);
    }
}
END_TEST

START_TEST(what_has_no_start)
{
    int64_t whole;
    const char *base = folder_make(folder_path("starts"));
    const char *fifo = folder_path("starts/fifo"), *link = folder_path("starts/link");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    file_write(folder_path("starts/file"), "", 0);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(read_start(folder_path("starts/none"), SIZE_MAX, &whole), -ENOENT);
    ck_assert_int_eq(read_start(base, SIZE_MAX, &whole), -EINVAL);
    ck_assert_int_eq(read_start(fifo, SIZE_MAX, &whole), -EINVAL);
    ck_assert_int_eq(read_start(link, strlen(base), &whole), -ELOOP);
    ck_assert_int_eq(read_start(link, SIZE_MAX, &whole), 0);
}
END_TEST

/* A limit is checked before any memory is taken: the file has a hole of a terabyte. */
START_TEST(limits_hold)
{
    void *bytes;
    size_t size;
    const char *path = folder_path("large");
    file_write(path, new_bytes, NEW_SIZE);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(file_read_back(context, path, &bytes, &size), CNN_OK);
    cnni_free(context, bytes);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, NEW_SIZE - 1), CNN_OK);
    EXPECT_FAILS(file_read_back(context, path, &bytes, &size), CNN_ERROR_LIMIT, "test",
                 "large\" is 5000");
    if (truncate(path, (off_t)1 << 40) == 0)
        EXPECT_FAILS(file_read_back(context, path, &bytes, &size), CNN_ERROR_LIMIT, "test",
                     "1099511627776");
}
END_TEST

/* ---- Writing ------------------------------------------------------------------------------- */

static mode_t mode_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(lstat(path, &status), 0);
    return status.st_mode;
}

START_TEST(permissions_are_kept)
{
    const char *path = folder_path("kept");
    umask(027);
    ck_assert_int_eq(file_replace(context, path, new_bytes, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(mode_of(path) & 07777, 0640);
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(file_replace(context, path, new_bytes, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(mode_of(path) & 07777, 0666);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(file_replace(context, path, old_bytes, OLD_SIZE), CNN_OK);
    ck_assert_int_eq(mode_of(path) & 07777, 0600);
    ck_assert(file_holds(path, old_bytes, OLD_SIZE));
}
END_TEST

/* Through two links, the second one relative, to a file in another folder. */
START_TEST(a_link_stays)
{
    char target[512];
    folder_make(folder_path("elsewhere"));
    snprintf(target, sizeof target, "%s", folder_path("elsewhere/target"));
    ck_assert_int_eq(symlink(folder_path("elsewhere/second"), folder_path("first")), 0);
    ck_assert_int_eq(symlink("target", folder_path("elsewhere/second")), 0);
    for (int32_t existing = 0; existing < 2; existing++) { /* at first the links lead nowhere */
        ck_assert_int_eq(
            file_replace(context, folder_path("first"), new_bytes, NEW_SIZE - (size_t)existing),
            CNN_OK);
        ck_assert(S_ISLNK(mode_of(folder_path("first"))));
        ck_assert(S_ISLNK(mode_of(folder_path("elsewhere/second"))));
        ck_assert(S_ISREG(mode_of(target)));
        ck_assert(file_holds(target, new_bytes, NEW_SIZE - (size_t)existing));
        ck_assert_int_eq(folder_entries(folder_path("elsewhere")), 2);
    }
}
END_TEST

START_TEST(what_is_no_file_is_not_replaced)
{
    const char *fifo = folder_path("old fifo"), *loop = folder_path("loop");
    char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink("loop", loop), 0);
    EXPECT_FAILS(file_replace(context, fifo, "x", 1), CNN_ERROR_IO, "test",
                 "must be a regular file");
    EXPECT_FAILS(file_replace(context, "/dev/null", "x", 1), CNN_ERROR_IO, "test",
                 "must be a regular file");
    EXPECT_FAILS(file_replace(context, folder_path("."), "x", 1), CNN_ERROR_IO, "test",
                 "is a folder");
    EXPECT_FAILS(file_replace(context, folder_path("no folder/file"), "x", 1), CNN_ERROR_IO, "test",
                 "No such file or directory");
    EXPECT_FAILS(file_replace(context, folder_path("no slash at the end/"), "x", 1), CNN_ERROR_IO,
                 "test", "No such file or directory");
    EXPECT_FAILS(file_replace(context, loop, "x", 1), CNN_ERROR_IO, "test",
                 "Too many levels of symbolic links");
    EXPECT_FAILS(file_replace(context, longest, "x", 1), CNN_ERROR_IO, "test",
                 "File name too long");
    EXPECT_FAILS(file_replace(context, "", "x", 1), CNN_ERROR_IO, "test",
                 "No such file or directory");
    ck_assert(S_ISFIFO(mode_of(fifo)) && S_ISLNK(mode_of(loop)));
    ck_assert(S_ISCHR(mode_of("/dev/null")));
}
END_TEST

/* As an ordinary user: root may write everywhere. */
START_TEST(protection_is_respected)
{
    folder_make(folder_path("closed"));
    file_write(folder_path("protected"), old_bytes, OLD_SIZE);
    ck_assert_int_eq(chmod(folder_path("protected"), 0444), 0);
    ck_assert_int_eq(chmod(folder_path("."), 0777), 0);
    ck_assert_int_eq(chmod(folder_path("closed"), 0555), 0);
    if (!become_ordinary_user())
        return;
    EXPECT_FAILS(file_replace(context, folder_path("protected"), "x", 1), CNN_ERROR_IO, "test",
                 "Permission denied");
    EXPECT_FAILS(file_replace(context, folder_path("closed/file"), "x", 1), CNN_ERROR_IO, "test",
                 "Permission denied");
    ck_assert(file_holds(folder_path("protected"), old_bytes, OLD_SIZE));
}
END_TEST

START_TEST(an_abandoned_file_leaves_nothing)
{
    struct cnni_file_writer *writer;
    const char *folder = folder_make(folder_path("abandoned"));
    ck_assert_int_eq(cnni_file_create(&writer, context, folder_path("abandoned/file"), "test"),
                     CNN_OK);
    ck_assert_int_eq(cnni_file_write(writer, new_bytes, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(folder_entries(folder), 1);
    cnni_file_abandon(writer);
    ck_assert_int_eq(folder_entries(folder), 0);
    cnni_file_abandon(NULL);
}
END_TEST

START_TEST(a_path_without_a_folder_is_the_current_one)
{
    ck_assert_int_eq(chdir(folder_make(folder_path("current"))), 0);
    ck_assert_int_eq(file_replace(context, "file", new_bytes, NEW_SIZE), CNN_OK);
    ck_assert(file_holds(folder_path("current/file"), new_bytes, NEW_SIZE));
    ck_assert_int_eq(folder_entries(folder_path("current")), 1);
}
END_TEST

/* ---- Several at a time, and killed ones ---------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 25, BIG_SIZE = 1 << 16 };

static char contended[512];

static void *replace_often(void *letter)
{
    char bytes[BIG_SIZE];
    memset(bytes, *(char *)letter, sizeof bytes);
    for (int32_t i = 0; i < ROUNDS; i++)
        if (file_replace(context, contended, bytes, sizeof bytes) != CNN_OK)
            return letter;
    return NULL;
}

/* The file is one letter from beginning to end. */
static bool is_one_letter(const char *path)
{
    char bytes[BIG_SIZE];
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(bytes, 1, sizeof bytes, file) != sizeof bytes)
        return false;
    fclose(file);
    return memcmp(bytes, bytes + 1, sizeof bytes - 1) == 0;
}

START_TEST(threads_may_replace_one_file)
{
    char letters[THREADS] = "abcd";
    pthread_t threads[THREADS];
    folder_make(folder_path("contended"));
    snprintf(contended, sizeof contended, "%s", folder_path("contended/file"));
    for (int32_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, replace_often, &letters[i]), 0);
    for (int32_t i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert(is_one_letter(contended));
    ck_assert_int_eq(folder_entries(folder_path("contended")), 1);
}
END_TEST

/* Replaces the file for ever. */
static void replace_until_killed(const char *path)
{
    static char bytes[BIG_SIZE];
    for (int32_t i = 0;; i++) {
        memset(bytes, 'a' + i % 26, sizeof bytes);
        if (file_replace(context, path, bytes, sizeof bytes) != CNN_OK)
            _exit(EXIT_FAILURE);
    }
}

START_TEST(a_kill_leaves_a_whole_file)
{
    enum { KILLS = 60 };
    static char path[512], bytes[BIG_SIZE];
    folder_make(folder_path("killed"));
    snprintf(path, sizeof path, "%s", folder_path("killed/file"));
    ck_assert_int_eq(file_replace(context, path, bytes, sizeof bytes), CNN_OK);
    for (int32_t i = 0; i < KILLS; i++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            replace_until_killed(path);
        usleep((useconds_t)(500 + 173 * i));
        kill(child, SIGKILL);
        int result;
        ck_assert_int_eq(waitpid(child, &result, 0), child);
        ck_assert(WIFSIGNALED(result));
        ck_assert_msg(is_one_letter(path), "damaged by kill %d", i);
    }
    ck_assert_msg(folder_entries(folder_path("killed")) > 1, "no kill hit a replacing");
    ck_assert_int_eq(file_replace(context, path, new_bytes, NEW_SIZE), CNN_OK);
}
END_TEST

static Suite *file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("reading");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_file_is_read_whole);
    tcase_add_test(tcase, what_is_no_file_is_not_read);
    tcase_add_test(tcase, links_are_followed_unless_told);
    tcase_add_test(tcase, nothing_below_a_root_may_be_a_link);
    tcase_add_test(tcase, the_start_of_a_file_is_read);
    tcase_add_test(tcase, what_has_no_start);
    tcase_add_test(tcase, limits_hold);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("writing");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, permissions_are_kept);
    tcase_add_test(tcase, a_link_stays);
    tcase_add_test(tcase, what_is_no_file_is_not_replaced);
    tcase_add_test(tcase, protection_is_respected);
    tcase_add_test(tcase, an_abandoned_file_leaves_nothing);
    tcase_add_test(tcase, a_path_without_a_folder_is_the_current_one);
    tcase_add_test(tcase, threads_may_replace_one_file);
    tcase_add_test(tcase, a_kill_leaves_a_whole_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    fill_bytes();
    return run_suite(file_suite());
}
