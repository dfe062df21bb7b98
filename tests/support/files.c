/* SPDX-License-Identifier: MIT
 * Contents of files, and looking at them. */
#include "support/files.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

char old_bytes[OLD_SIZE], new_bytes[NEW_SIZE];

void fill_bytes(void)
{
    memset(old_bytes, 'o', OLD_SIZE);
    for (int32_t i = 0; i < NEW_SIZE; i++)
        new_bytes[i] = (char)(i * 7);
}

bool file_holds(const char *path, const void *bytes, size_t size)
{
    static char found[1 << 17];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t count = fread(found, 1, sizeof found, file);
    fclose(file);
    return count == size && memcmp(found, bytes, size) == 0;
}

int32_t folder_entries(const char *path)
{
    int32_t count = 0;
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

int32_t files_open(void)
{
    return folder_entries("/proc/self/fd");
}

cnn_status file_replace(cnn_context *context, const char *path, const char *bytes, size_t size)
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

cnn_status file_read_back(cnn_context *context, const char *path, void **bytes, size_t *size)
{
    return cnni_file_read(bytes, size, context, path, CNN_LIMIT_MODEL_BYTES, "test");
}
