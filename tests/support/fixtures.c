/* SPDX-License-Identifier: MIT
 * Reading the files that tests need. */
#include "support/fixtures.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cnn/image.h"
#include "support/skip.h"

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL ? value : otherwise;
}

struct file_bytes file_read(const char *path)
{
    struct file_bytes file = {NULL, 0};
    struct stat status;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return file;
    if (fstat(fileno(stream), &status) == 0 && S_ISREG(status.st_mode)) {
        file.bytes = malloc((size_t)status.st_size + 1);
        file.size = fread(file.bytes, 1, (size_t)status.st_size, stream);
    }
    fclose(stream);
    return file;
}

struct file_bytes fixture_read(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", environment("CNN_TEST_FIXTURES", "tests/fixtures"), name);
    struct file_bytes file = file_read(path);
    ck_assert_msg(file.bytes != NULL, "cannot read %s", path);
    return file;
}

const char *test_data_folder(void)
{
    const char *folder = getenv("CNN_TEST_DATA");
    struct stat status;
    if (folder != NULL && stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        return folder;
    skip("data", "no real pictures at %s", folder != NULL ? folder : "$CNN_TEST_DATA");
    return NULL;
}

/* Whether a file of this beginning fails for another reason than its format. */
static bool has_decoder(cnn_context *context, const char *bytes, size_t size)
{
    cnn_tensor *image;
    return cnn_image_decode(&image, context, bytes, size, 3) != CNN_ERROR_UNSUPPORTED;
}

bool has_decoders(void)
{
    cnn_context *context;
    if (cnn_context_create_isolated(&context) != CNN_OK)
        return true; /* the tests themselves will show it: outside of one nothing can be asserted */
    const bool jpeg = has_decoder(context, "\xFF\xD8\xFF", 3);
    const bool png = has_decoder(context, "\x89PNG\r\n\x1A\n", 8);
    cnn_context_free(context);
    if (!jpeg || !png)
        printf("skipped: decoding, since this build has no decoder for %s%s%s\n",
               jpeg ? "" : "JPEG", jpeg || png ? "" : " and ", png ? "" : "PNG");
    return jpeg && png;
}
