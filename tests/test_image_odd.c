/* SPDX-License-Identifier: MIT
 * Real odd pictures, where they are beside the repository (folder odd-images of the data): every
 * one decodes to its size, or fails with a status and a text that names the reason. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cnn.h"
#include "support/fixtures.h"
#include "support/skip.h"
#include "support/suite.h"

/* What each file must decode to, or fail with. */
static const struct odd {
    const char *name;
    cnn_status status;
    int64_t h, w;
    const char *part;
} odds[] = {
    {"petimages-cat-8.jpg", CNN_OK, 346, 461, NULL},
    {"petimages-cat-11.jpg", CNN_OK, 410, 432, NULL},
    {"petimages-cat-14.jpg", CNN_OK, 268, 320, NULL},
    {"petimages-cat-16.jpg", CNN_OK, 259, 448, NULL},
    {"petimages-dog-4.jpg", CNN_OK, 288, 300, NULL},
    {"petimages-dog-7.jpg", CNN_OK, 264, 300, NULL},
    {"petimages-dog-10.jpg", CNN_OK, 293, 269, NULL},
    {"petimages-dog-11.jpg", CNN_OK, 102, 135, NULL},
    {"petimages-dog-12.jpg", CNN_OK, 162, 98, NULL},
    {"petimages-dog-13.jpg", CNN_OK, 428, 363, NULL},
    {"petimages-dog-17.jpg", CNN_OK, 336, 272, NULL},
    {"petimages-dog-19.jpg", CNN_OK, 225, 300, NULL},
    {"kaggletest-11756.jpg", CNN_OK, 50, 37, NULL},
    {"kaggletest-5669.jpg", CNN_OK, 50, 37, NULL},
    {"kaggletest-46.jpg", CNN_OK, 50, 41, NULL},
    {"kaggletest-8731.jpg", CNN_OK, 44, 60, NULL},
    {"kaggletest-8674.jpg", CNN_OK, 49, 50, NULL},
    {"kaggletest-5283.jpg", CNN_OK, 135, 90, NULL},
    {"kaggletest-1322.jpg", CNN_OK, 492, 349, NULL},
    {"kaggletest-9237.jpg", CNN_OK, 250, 500, NULL},
    {"kaggletest-12104.jpg", CNN_OK, 500, 250, NULL},
    {"kaggle-dog.4367.jpg", CNN_OK, 33, 195, NULL},
    {"kaggle-cat.835.jpg", CNN_OK, 768, 1023, NULL},
    {"kaggle-cat.664.jpg", CNN_OK, 199, 75, NULL},
    {"kaggle-cat.728.jpg", CNN_OK, 180, 499, NULL},
    {"kaggle-dog.927.jpg", CNN_OK, 80, 59, NULL},
    {"web-Cat1035.png", CNN_ERROR_UNSUPPORTED, 0, 0, "WebP"},
    {"web-Cat1018.png", CNN_OK, 1223, 1000, NULL},
    {"web-Cat1021.jpeg", CNN_OK, 489, 679, NULL},
    {"web-Cat10.jpg", CNN_OK, 612, 408, NULL},
    {"web-Cat45.jpg", CNN_OK, 408, 612, NULL},
    {"web-Cat711.jpg", CNN_OK, 500, 333, NULL},
    {"web-Cat733.jpg", CNN_OK, 797, 1200, NULL},
    {"web-Cat1025.jpg", CNN_OK, 380, 645, NULL},
    {"web-Cat1043.jpg", CNN_OK, 800, 1200, NULL},
    {"web-Cat686.jpg", CNN_OK, 1106, 1639, NULL},
    {"web-Cat1037.jpg", CNN_OK, 798, 802, NULL},
    {"web-Cat553.jpg", CNN_OK, 88, 300, NULL},
    {"web-Cat1045.jpeg", CNN_OK, 3072, 3072, NULL},
    {"web-Cat1019.jpg", CNN_OK, 1067, 1600, NULL},
    {"iitis-3.jpg", CNN_OK, 1538, 2048, NULL},
    {"iitis-1.JPG", CNN_OK, 525, 533, NULL},
    {"gray-cat.0.jpg", CNN_OK, 64, 64, NULL},
    {"gray-cat.1.jpg", CNN_OK, 64, 64, NULL},
    {"gray-dog.0.jpg", CNN_OK, 64, 64, NULL},
    {"gray-dog.1.jpg", CNN_OK, 64, 64, NULL},
    {"ljt-monkey12.jpg", CNN_ERROR_UNSUPPORTED, 0, 0, "precision 12"},
    {"ljt-testimgari.jpg", CNN_OK, 149, 227, NULL},
    {"ljt-testimgint.jpg", CNN_OK, 149, 227, NULL},
    {"png-basn0g16.png", CNN_OK, 32, 32, NULL},
    {"png-basn3p01.png", CNN_OK, 32, 32, NULL},
    {"png-basn4a16.png", CNN_OK, 32, 32, NULL},
    {"png-basn6a08.png", CNN_OK, 32, 32, NULL},
    {"png-ibasn6a16.png", CNN_OK, 32, 32, NULL},
    {"png-badcrc.png", CNN_ERROR_FORMAT, 0, 0, "CRC"},
    {"png-huge_IDAT.png", CNN_ERROR_FORMAT, 0, 0, "ends too early"},
    {"png-small-palette-8.png", CNN_OK, 1, 256, NULL},
};

static const struct odd *find_odd(const char *name)
{
    for (int32_t i = 0; i < CNNI_COUNT(odds); i++)
        if (strcmp(odds[i].name, name) == 0)
            return &odds[i];
    return NULL;
}

static void check_failure(const struct odd *odd, cnn_status status)
{
    ck_assert_msg(status == odd->status, "%s: %s instead of %s", odd->name, cnn_status_name(status),
                  cnn_status_name(odd->status));
    ck_assert_msg(strstr(cnn_error_message(), odd->part) != NULL, "\"%s\" does not have \"%s\"",
                  cnn_error_message(), odd->part);
}

static void check_odd(cnn_context *context, const struct odd *odd, const char *path)
{
    for (int32_t channels = 3; channels >= 1; channels -= 2) {
        cnn_tensor *image;
        cnn_status status = cnn_image_load(&image, context, path, channels);
        if (odd->status != CNN_OK) {
            check_failure(odd, status);
            continue;
        }
        ck_assert_msg(status == CNN_OK, "%s", cnn_error_message());
        ck_assert_int_eq(cnn_tensor_dim(image, 0), odd->h);
        ck_assert_int_eq(cnn_tensor_dim(image, 1), odd->w);
        ck_assert_int_eq(cnn_tensor_dim(image, 2), channels);
        cnn_tensor_free(image);
    }
}

START_TEST(odd_files_decode_or_say_why_not)
{
    const char *data = test_data_folder();
    char path[4096];
    int32_t found = 0;
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create_isolated(&context), CNN_OK);
    snprintf(path, sizeof path, "%s/odd-images", data);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.txt") == 0)
            continue;
        const struct odd *odd = find_odd(entry->d_name);
        ck_assert_msg(odd != NULL, "no expectation for %s", entry->d_name);
        snprintf(path, sizeof path, "%s/odd-images/%s", data, entry->d_name);
        check_odd(context, odd, path);
        found++;
    }
    closedir(folder);
    cnn_context_free(context);
    ck_assert_int_eq(found, CNNI_COUNT(odds));
}
END_TEST

int main(void)
{
    if (!has_decoders() || test_data_folder() == NULL)
        return EXIT_SKIPPED;
    Suite *suite = suite_create("image_odd");
    TCase *tcase = tcase_create("image_odd");
    tcase_add_test(tcase, odd_files_decode_or_say_why_not);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
