/* SPDX-License-Identifier: MIT
 * Reading and replacing files: every system call failing in every way, odd targets, full disks, and
 * processes killed in the middle.  What must never happen: a target that is neither the old nor the
 * new file, and a temporary file left by a call that returned. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cnn/status.h"
#include "support/expect.h"
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

/* ---- Looking ------------------------------------------------------------------------------- */

enum { OLD_SIZE = 1000, NEW_SIZE = 5000 };

static char old_bytes[OLD_SIZE], new_bytes[NEW_SIZE];

static void fill_bytes(void)
{
    memset(old_bytes, 'o', OLD_SIZE);
    for (int32_t i = 0; i < NEW_SIZE; i++)
        new_bytes[i] = (char)(i * 7);
}

/* Whether the file at `path` holds exactly these bytes. */
static bool holds(const char *path, const void *bytes, size_t size)
{
    static char found[1 << 17];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t count = fread(found, 1, sizeof found, file);
    fclose(file);
    return count == size && memcmp(found, bytes, size) == 0;
}

static int32_t count_entries(const char *path)
{
    int32_t count = 0;
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

static int32_t open_files(void)
{
    return count_entries("/proc/self/fd");
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(lstat(path, &status), 0);
    return status.st_mode;
}

/* The whole of what a saving caller does, in three writes. */
static cnn_status replace(const char *path, const char *bytes, size_t size)
{
    struct cnni_file_writer *writer;
    cnn_status status = cnni_file_create(&writer, context, path, "test");
    if (status != CNN_OK) {
        ck_assert_ptr_null(writer);
        return status;
    }
    cnni_file_write(writer, bytes, size / 3);
    cnni_file_write(writer, bytes + size / 3, 0);
    cnni_file_write(writer, bytes + size / 3, size - size / 3);
    return cnni_file_commit(writer);
}

static cnn_status read_back(const char *path, void **bytes, size_t *size)
{
    return cnni_file_read(bytes, size, context, path, CNN_LIMIT_MODEL_BYTES, "test");
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
    int32_t files = open_files();
    if (existing)
        file_write(path, old_bytes, OLD_SIZE);
    plan_fault(kind, at);
    cnn_status status = replace(path, new_bytes, NEW_SIZE);
    cnni_file_set_calls(NULL);
    bool replaced = holds(path, new_bytes, NEW_SIZE);
    if (status == CNN_OK) {
        ck_assert_msg(replaced, "call %d: success without the file", at);
        ck_assert_msg(!fault.early, "call %d: its failure was passed over", at);
    } else {
        EXPECT_FAILS(status, faults[kind].status, "test", faults[kind].text);
        ck_assert_msg(strstr(cnn_error_message(), "folder/file") != NULL, "%s",
                      cnn_error_message());
        bool old = existing ? holds(path, old_bytes, OLD_SIZE) : access(path, F_OK) != 0;
        ck_assert_msg(fault.renamed ? replaced : old, "call %d: the file is damaged", at);
        ck_assert_msg(faults[kind].error != EINTR && !faults[kind].half, "call %d: not tried again",
                      at);
    }
    ck_assert_int_eq(count_entries(folder), existing || replaced);
    ck_assert_int_eq(open_files(), files);
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
        cnn_status status = replace(path, new_bytes, NEW_SIZE);
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
    int32_t files = open_files(), at = 1;
    for (bool more = true; more; at++) {
        void *bytes = &bytes;
        size_t size = 1;
        plan_fault(_i, at);
        cnn_status status = read_back(path, &bytes, &size);
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
        ck_assert_int_eq(open_files(), files);
    }
    ck_assert_int_ge(at, 5); /* open, fstat, read, read of nothing, close */
}
END_TEST

/* ---- Reading ------------------------------------------------------------------------------- */

START_TEST(a_file_is_read_whole)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, NEW_SIZE};
    for (int32_t i = 0; i < CNNI_COUNT(sizes); i++) {
        const char *path = folder_path("whole");
        void *bytes;
        size_t size;
        file_write(path, new_bytes, sizes[i]);
        ck_assert_int_eq(read_back(path, &bytes, &size), CNN_OK);
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
    EXPECT_FAILS(read_back(folder_path("missing"), &bytes, &size), CNN_ERROR_NOT_FOUND, "test",
                 "missing\": No such file or directory");
    EXPECT_FAILS(read_back(folder_path("plain/file"), &bytes, &size), CNN_ERROR_NOT_FOUND, "test",
                 "Not a directory");
    EXPECT_FAILS(read_back("", &bytes, &size), CNN_ERROR_NOT_FOUND, "test", "\"\"");
    EXPECT_FAILS(read_back(folder_path("."), &bytes, &size), CNN_ERROR_IO, "test", "is a folder");
    EXPECT_FAILS(read_back(fifo, &bytes, &size), CNN_ERROR_IO, "test", "must be a regular file");
    EXPECT_FAILS(read_back("/dev/zero", &bytes, &size), CNN_ERROR_IO, "test",
                 "must be a regular file");
    EXPECT_FAILS(read_back(folder_path("new\nline"), &bytes, &size), CNN_ERROR_NOT_FOUND, "test",
                 "new\\x0Aline");
}
END_TEST

static cnn_status read_below(const char *path, size_t root)
{
    void *bytes;
    size_t size;
    int32_t files = open_files();
    cnn_status status =
        cnni_file_read_below(&bytes, &size, context, path, root, CNN_LIMIT_MODEL_BYTES, "test");
    cnni_free(context, bytes);
    ck_assert_int_eq(open_files(), files);
    return status;
}

START_TEST(links_are_followed_unless_told)
{
    void *bytes;
    size_t size, root = strlen(folder_path("link target")) - strlen("/link target");
    const char *target = folder_path("link target"), *link = folder_path("link to read");
    file_write(target, "text", 4);
    ck_assert_int_eq(symlink(target, link), 0);
    ck_assert_int_eq(read_back(link, &bytes, &size), CNN_OK);
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

/* A limit is checked before any memory is taken: the file has a hole of a terabyte. */
START_TEST(limits_hold)
{
    void *bytes;
    size_t size;
    const char *path = folder_path("large");
    file_write(path, new_bytes, NEW_SIZE);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(read_back(path, &bytes, &size), CNN_OK);
    cnni_free(context, bytes);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, NEW_SIZE - 1), CNN_OK);
    EXPECT_FAILS(read_back(path, &bytes, &size), CNN_ERROR_LIMIT, "test", "large\" is 5000");
    if (truncate(path, (off_t)1 << 40) == 0)
        EXPECT_FAILS(read_back(path, &bytes, &size), CNN_ERROR_LIMIT, "test", "1099511627776");
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
    EXPECT_FAILS(read_back(changing, &bytes, &size), CNN_ERROR_IO, "test", "changed its size");
    ck_assert_ptr_null(bytes);
}
END_TEST

/* ---- Writing ------------------------------------------------------------------------------- */

START_TEST(permissions_are_kept)
{
    const char *path = folder_path("kept");
    umask(027);
    ck_assert_int_eq(replace(path, new_bytes, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(mode_of(path) & 07777, 0640);
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(replace(path, new_bytes, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(mode_of(path) & 07777, 0666);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(replace(path, old_bytes, OLD_SIZE), CNN_OK);
    ck_assert_int_eq(mode_of(path) & 07777, 0600);
    ck_assert(holds(path, old_bytes, OLD_SIZE));
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
        ck_assert_int_eq(replace(folder_path("first"), new_bytes, NEW_SIZE - (size_t)existing),
                         CNN_OK);
        ck_assert(S_ISLNK(mode_of(folder_path("first"))));
        ck_assert(S_ISLNK(mode_of(folder_path("elsewhere/second"))));
        ck_assert(S_ISREG(mode_of(target)));
        ck_assert(holds(target, new_bytes, NEW_SIZE - (size_t)existing));
        ck_assert_int_eq(count_entries(folder_path("elsewhere")), 2);
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
    EXPECT_FAILS(replace(fifo, "x", 1), CNN_ERROR_IO, "test", "must be a regular file");
    EXPECT_FAILS(replace("/dev/null", "x", 1), CNN_ERROR_IO, "test", "must be a regular file");
    EXPECT_FAILS(replace(folder_path("."), "x", 1), CNN_ERROR_IO, "test", "is a folder");
    EXPECT_FAILS(replace(folder_path("no folder/file"), "x", 1), CNN_ERROR_IO, "test",
                 "No such file or directory");
    EXPECT_FAILS(replace(folder_path("no slash at the end/"), "x", 1), CNN_ERROR_IO, "test",
                 "No such file or directory");
    EXPECT_FAILS(replace(loop, "x", 1), CNN_ERROR_IO, "test", "Too many levels of symbolic links");
    EXPECT_FAILS(replace(longest, "x", 1), CNN_ERROR_IO, "test", "File name too long");
    EXPECT_FAILS(replace("", "x", 1), CNN_ERROR_IO, "test", "No such file or directory");
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
    EXPECT_FAILS(replace(folder_path("protected"), "x", 1), CNN_ERROR_IO, "test",
                 "Permission denied");
    EXPECT_FAILS(replace(folder_path("closed/file"), "x", 1), CNN_ERROR_IO, "test",
                 "Permission denied");
    ck_assert(holds(folder_path("protected"), old_bytes, OLD_SIZE));
}
END_TEST

START_TEST(an_abandoned_file_leaves_nothing)
{
    struct cnni_file_writer *writer;
    const char *folder = folder_make(folder_path("abandoned"));
    ck_assert_int_eq(cnni_file_create(&writer, context, folder_path("abandoned/file"), "test"),
                     CNN_OK);
    ck_assert_int_eq(cnni_file_write(writer, new_bytes, NEW_SIZE), CNN_OK);
    ck_assert_int_eq(count_entries(folder), 1);
    cnni_file_abandon(writer);
    ck_assert_int_eq(count_entries(folder), 0);
    cnni_file_abandon(NULL);
}
END_TEST

START_TEST(a_path_without_a_folder_is_the_current_one)
{
    ck_assert_int_eq(chdir(folder_make(folder_path("current"))), 0);
    ck_assert_int_eq(replace("file", new_bytes, NEW_SIZE), CNN_OK);
    ck_assert(holds(folder_path("current/file"), new_bytes, NEW_SIZE));
    ck_assert_int_eq(count_entries(folder_path("current")), 1);
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
    EXPECT_FAILS(replace(path, new_bytes, NEW_SIZE), CNN_ERROR_IO, "test",
                 "No space left on device");
    close(full_device);
    ck_assert(holds(path, old_bytes, OLD_SIZE));
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
    EXPECT_FAILS(replace(path, new_bytes, NEW_SIZE), CNN_ERROR_IO, "test", "File too large");
    ck_assert(holds(path, old_bytes, OLD_SIZE));
    ck_assert_int_eq(count_entries(folder), 1);
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
        if (replace(contended, bytes, sizeof bytes) != CNN_OK)
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
    ck_assert_int_eq(count_entries(folder_path("contended")), 1);
}
END_TEST

/* Replaces the file for ever. */
static void replace_until_killed(const char *path)
{
    static char bytes[BIG_SIZE];
    for (int32_t i = 0;; i++) {
        memset(bytes, 'a' + i % 26, sizeof bytes);
        if (replace(path, bytes, sizeof bytes) != CNN_OK)
            _exit(EXIT_FAILURE);
    }
}

START_TEST(a_kill_leaves_a_whole_file)
{
    enum { KILLS = 60 };
    static char path[512], bytes[BIG_SIZE];
    folder_make(folder_path("killed"));
    snprintf(path, sizeof path, "%s", folder_path("killed/file"));
    ck_assert_int_eq(replace(path, bytes, sizeof bytes), CNN_OK);
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
    ck_assert_msg(count_entries(folder_path("killed")) > 1, "no kill hit a replacing");
    ck_assert_int_eq(replace(path, new_bytes, NEW_SIZE), CNN_OK);
}
END_TEST

static Suite *file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("faults");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, writing_survives_any_failure, 0, CNNI_COUNT(faults));
    tcase_add_loop_test(tcase, reading_survives_any_failure, 0, CNNI_COUNT(faults));
    tcase_add_test(tcase, an_unsynced_folder_is_told);
    tcase_add_test(tcase, a_full_disk_leaves_the_old_file);
    tcase_add_test(tcase, a_file_size_limit_leaves_the_old_file);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("reading");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_file_is_read_whole);
    tcase_add_test(tcase, what_is_no_file_is_not_read);
    tcase_add_test(tcase, links_are_followed_unless_told);
    tcase_add_test(tcase, nothing_below_a_root_may_be_a_link);
    tcase_add_test(tcase, limits_hold);
    tcase_add_loop_test(tcase, a_file_that_changes_is_told, 0, 2);
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
