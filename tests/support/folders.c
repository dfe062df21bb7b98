/* SPDX-License-Identifier: MIT
 * Files and a temporary folder for tests, under TMPDIR. */
#include "support/folders.h"

#include <check.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, PATHS = 8 };

static char root[PATH_SIZE];

void file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void file_cut(const char *path, size_t size)
{
    ck_assert_int_eq(truncate(path, (off_t)size), 0);
}

void folder_set_up(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/libcnn-test-XXXXXX", parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

void folder_tear_down(void)
{
    folder_remove(root);
}

const char *folder_path(const char *name, ...)
{
    static char paths[PATHS][PATH_SIZE];
    static int32_t next;
    char *path = paths[next++ % PATHS];
    int length = snprintf(path, PATH_SIZE, "%s/", root);
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(path + length, (size_t)(PATH_SIZE - length), name, arguments);
    va_end(arguments);
    return path;
}

const char *folder_make(const char *path)
{
    ck_assert_msg(mkdir(path, 0777) == 0, "cannot make %s", path);
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
