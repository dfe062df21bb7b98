/* SPDX-License-Identifier: MIT
 * Decoding pictures: every kind of JPEG and PNG of fixtures/images against its known pixels, scaled
 * decoding, orientation, loading files, the documented errors.  Damaged and hostile files are in
 * test_image_damage.c, a folder of real odd ones in test_image_odd.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cnn.h"
#include "data/image_decoder.h"
#include "support/accounts.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/skip.h"
#include "support/suite.h"

static struct accounts accounts;
static cnn_context *context;

static void set_up(void)
{
    context = accounts_context(&accounts);
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

/* The text of the newest failure has `part`. */
static void check_message(const char *part)
{
    ck_assert_msg(strstr(cnn_error_message(), part) != NULL, "\"%s\" does not have \"%s\"",
                  cnn_error_message(), part);
}

static void check_failure(cnn_status got, cnn_status wanted, const char *part)
{
    ck_assert_msg(got == wanted, "%s instead of %s: %s", cnn_status_name(got),
                  cnn_status_name(wanted), cnn_error_message());
    check_message(part);
}

/* Compares with pixels [h][w][c], byte by byte. */
static void check_pixels(const char *name, cnn_tensor *image, int64_t h, int64_t w, int64_t c,
                         const uint8_t *wanted, int32_t tolerance)
{
    const uint8_t *got = cnn_tensor_data(image);
    ck_assert_int_eq(cnn_tensor_dtype(image), CNN_UINT8);
    ck_assert_int_eq(cnn_tensor_rank(image), 3);
    ck_assert_msg(cnn_tensor_dim(image, 0) == h && cnn_tensor_dim(image, 1) == w &&
                      cnn_tensor_dim(image, 2) == c,
                  "%s: %d x %d x %d", name, (int)cnn_tensor_dim(image, 0),
                  (int)cnn_tensor_dim(image, 1), (int)cnn_tensor_dim(image, 2));
    for (int64_t i = 0; i < h * w * c; i++)
        ck_assert_msg(abs(got[i] - wanted[i]) <= tolerance,
                      "%s, row %d, column %d, channel %d of %d: got %d, wanted %d", name,
                      (int)(i / (w * c)), (int)(i / c % w), (int)(i % c), (int)c, got[i],
                      wanted[i]);
}

/* ---- Fixtures ---- */

/* Upright they are all of this size. */
enum { HEIGHT = 19, WIDTH = 27, PIXELS = HEIGHT * WIDTH };

static const char *const fixtures[] = {
    "jpeg_420.jpg",
    "jpeg_422.jpg",
    "jpeg_444.jpg",
    "jpeg_progressive.jpg",
    "jpeg_restart.jpg",
    "jpeg_gray.jpg",
    "jpeg_rgb.jpg",
    "jpeg_cmyk.jpg",
    "jpeg_cmyk_plain.jpg",
    "jpeg_orientation_1.jpg",
    "jpeg_orientation_2.jpg",
    "jpeg_orientation_3.jpg",
    "jpeg_orientation_4.jpg",
    "jpeg_orientation_5.jpg",
    "jpeg_orientation_6.jpg",
    "jpeg_orientation_7.jpg",
    "jpeg_orientation_8.jpg",
    "png_gray_1.png",
    "png_gray_2.png",
    "png_gray_4.png",
    "png_gray_8.png",
    "png_gray_16.png",
    "png_gray_alpha_8.png",
    "png_gray_alpha_16.png",
    "png_gray_transparent.png",
    "png_palette_1.png",
    "png_palette_2.png",
    "png_palette_4.png",
    "png_palette_8.png",
    "png_palette_alpha_1.png",
    "png_palette_alpha_2.png",
    "png_palette_alpha_4.png",
    "png_palette_alpha_8.png",
    "png_rgb_8.png",
    "png_rgb_8_interlaced.png",
    "png_rgb_16.png",
    "png_rgba_8.png",
    "png_rgba_8_interlaced.png",
    "png_rgba_16.png",
    "png_rgba_16_interlaced.png",
    "png_orientation_3.png",
    "png_orientation_6.png",
    "png_text.png",
};

/* Levels of difference that are allowed: CMYK is converted by the decoder, with another rounding
 * than Pillow's.  All others are exact: the accurate integer DCT and the smooth enlargement of
 * chroma planes have not changed their bits between libjpeg-turbo 2.1 and 3.2. */
static int32_t tolerance(const char *name)
{
    return strncmp(name, "jpeg_cmyk", 9) == 0 ? 1 : 0;
}

/* Reads images/NAME, or what it must decode to: images/NAME with "raw" for its ending. */
static struct file_bytes read_picture(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "images/%s", name);
    return fixture_read(path);
}

static struct file_bytes read_pixels(const char *name)
{
    char raw[128];
    snprintf(raw, sizeof raw, "%.*s.raw", (int)strcspn(name, "."), name);
    return read_picture(raw);
}

START_TEST(fixtures_decode_to_their_pixels)
{
    const char *name = fixtures[_i];
    struct file_bytes file = read_picture(name), wanted = read_pixels(name);
    ck_assert_int_eq((int64_t)wanted.size, 4 * PIXELS); /* colour, then gray */
    for (int32_t channels = 3; channels >= 1; channels -= 2) {
        cnn_tensor *image;
        cnn_status status = cnn_image_decode(&image, context, file.bytes, file.size, channels);
        ck_assert_msg(status == CNN_OK, "%s: %s", name, cnn_error_message());
        check_pixels(name, image, HEIGHT, WIDTH, channels,
                     wanted.bytes + (channels == 3 ? 0 : 3 * PIXELS), tolerance(name));
        cnn_tensor_free(image);
    }
    free(file.bytes);
    free(wanted.bytes);
}
END_TEST

START_TEST(one_pixel_is_a_picture)
{
    struct file_bytes file = read_picture("jpeg_tiny.jpg"), wanted = read_pixels("jpeg_tiny.jpg");
    cnn_tensor *image;
    ck_assert_int_eq(cnn_image_decode(&image, context, file.bytes, file.size, 3), CNN_OK);
    check_pixels("jpeg_tiny.jpg", image, 1, 1, 3, wanted.bytes, 0);
    cnn_tensor_free(image);
    free(file.bytes);
    free(wanted.bytes);
}
END_TEST

/* ---- Scaled decoding: jpeg_large is 100 x 80 ---- */

static const struct {
    int64_t wanted_h, wanted_w, h, w;
} scales[] = {
    {80, 100, 80, 100}, {200, 10, 80, 100}, {41, 10, 80, 100}, {10, 51, 80, 100},
    {40, 50, 40, 50},   {21, 1, 40, 50},    {20, 26, 40, 50},  {20, 25, 20, 25},
    {11, 1, 20, 25},    {1, 14, 20, 25},    {10, 13, 10, 13},  {1, 1, 10, 13},
};

START_TEST(scaled_decoding_stays_above_what_is_wanted)
{
    struct file_bytes file = read_picture("jpeg_large.jpg");
    cnn_tensor *image;
    ck_assert_int_eq(cnn_image_decode_scaled(&image, context, file.bytes, file.size, 3,
                                             scales[_i].wanted_h, scales[_i].wanted_w),
                     CNN_OK);
    ck_assert_int_eq(cnn_tensor_dim(image, 0), scales[_i].h);
    ck_assert_int_eq(cnn_tensor_dim(image, 1), scales[_i].w);
    cnn_tensor_free(image);
    free(file.bytes);
}
END_TEST

START_TEST(scaled_decoding_gives_the_known_pixels)
{
    struct file_bytes file = read_picture("jpeg_large.jpg");
    for (int64_t scale = 2; scale <= 8; scale *= 2)
        for (int32_t channels = 3; channels >= 1; channels -= 2) {
            const int64_t h = cnni_ceil_div(80, scale), w = cnni_ceil_div(100, scale);
            char name[32];
            cnn_tensor *image;
            snprintf(name, sizeof name, "jpeg_large_%d", (int)scale);
            struct file_bytes wanted = read_pixels(name);
            ck_assert_int_eq(
                cnn_image_decode_scaled(&image, context, file.bytes, file.size, channels, h, w),
                CNN_OK);
            check_pixels(name, image, h, w, channels,
                         wanted.bytes + (channels == 3 ? 0 : 3 * h * w), 0);
            cnn_tensor_free(image);
            free(wanted.bytes);
        }
    free(file.bytes);
}
END_TEST

/* The stored picture of jpeg_orientation_6 is 19 wide and 27 high, the upright one the reverse. */
START_TEST(scaled_decoding_means_the_upright_size)
{
    static const struct {
        int64_t wanted_h, wanted_w, h, w;
    } sizes[] = {{10, 14, 10, 14}, {11, 14, 19, 27}, {10, 15, 19, 27}, {5, 7, 5, 7}};
    struct file_bytes file = read_picture("jpeg_orientation_6.jpg");
    for (int32_t i = 0; i < CNNI_COUNT(sizes); i++) {
        cnn_tensor *image;
        ck_assert_int_eq(cnn_image_decode_scaled(&image, context, file.bytes, file.size, 3,
                                                 sizes[i].wanted_h, sizes[i].wanted_w),
                         CNN_OK);
        ck_assert_int_eq(cnn_tensor_dim(image, 0), sizes[i].h);
        ck_assert_int_eq(cnn_tensor_dim(image, 1), sizes[i].w);
        cnn_tensor_free(image);
    }
    free(file.bytes);
}
END_TEST

START_TEST(a_png_is_not_scaled)
{
    struct file_bytes file = read_picture("png_rgb_8.png");
    cnn_tensor *image;
    ck_assert_int_eq(cnn_image_decode_scaled(&image, context, file.bytes, file.size, 3, 1, 1),
                     CNN_OK);
    ck_assert_int_eq(cnn_tensor_dim(image, 0), 19);
    cnn_tensor_free(image);
    free(file.bytes);
}
END_TEST

/* ---- EXIF ---- */

#define ENTRY_6 "\x12\x01\x03\0\1\0\0\0\6\0\0\0"

static const struct {
    const char *bytes;
    size_t size;
    int32_t orientation;
} blocks[] = {
    {"II*\0\x08\0\0\0\1\0" ENTRY_6, 22, 6},
    {"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\3\0\0", 22, 3},
    {"II*\0\x09\0\0\0\xFF\1\0" ENTRY_6, 23, 6},                   /* the directory elsewhere */
    {"II*\0\x08\0\0\0\xFF\xFF" ENTRY_6, 22, 6},                   /* fewer entries than it says */
    {"II*\0\x08\0\0\0\1\0" ENTRY_6, 21, 1},                       /* the entry cut short */
    {"II*\0\x08\0\0\0\0\0" ENTRY_6, 22, 1},                       /* no entries */
    {"II*\0\x15\0\0\0\1\0" ENTRY_6, 22, 1},                       /* the directory cut short */
    {"II*\0\xFF\xFF\xFF\xFF\1\0" ENTRY_6, 22, 1},                 /* the directory far away */
    {"II*\0\x08\0\0\0\1\0\x12\x01\x03\0\1\0\0\0\x09\0\0", 22, 1}, /* 9 */
    {"II*\0\x08\0\0\0\1\0\x12\x01\x03\0\1\0\0\0\0\0\0", 22, 1},   /* 0 */
    {"II*\0\x08\0\0\0\1\0\x12\x01\x04\0\1\0\0\0\6\0\0", 22, 1},   /* no short number */
    {"II*\0\x08\0\0\0\1\0\x12\x01\x03\0\2\0\0\0\6\0\0", 22, 1},   /* two of them */
    {"XX*\0\x08\0\0\0\1\0" ENTRY_6, 22, 1},
    {"II*\0\x08\0\0", 7, 1},
    {"", 0, 1},
};

START_TEST(orientation_is_found_or_upright)
{
    uint8_t *exact = malloc(blocks[_i].size + 1); /* so that sanitizers see a step beyond */
    uint8_t *end = exact + 1;
    memcpy(end, blocks[_i].bytes, blocks[_i].size);
    ck_assert_int_eq(cnni_exif_orientation(end, blocks[_i].size), blocks[_i].orientation);
    free(exact);
}
END_TEST

/* ---- Formats ---- */

static const struct {
    const char *bytes;
    size_t size;
    cnn_status status;
    const char *part;
} beginnings[] = {
    {"RIFF\x10\0\0\0WEBPVP8 ", 16, CNN_ERROR_UNSUPPORTED, "WebP"},
    {"GIF89a\1\0\1\0", 10, CNN_ERROR_UNSUPPORTED, "GIF"},
    {"BM\x36\0\0\0", 6, CNN_ERROR_UNSUPPORTED, "BMP"},
    {"II*\0\x08\0\0\0", 8, CNN_ERROR_UNSUPPORTED, "TIFF"},
    {"MM\0*\0\0\0\x08", 8, CNN_ERROR_UNSUPPORTED, "TIFF"},
    {"\0\0\0\x1C"
     "ftypavif",
     12, CNN_ERROR_UNSUPPORTED, "AVIF"},
    {"\0\0\0\x1C"
     "ftypheic",
     12, CNN_ERROR_UNSUPPORTED, "HEIC"},
    {"\0\0\0\x0CjP  \r\n\x87\n", 12, CNN_ERROR_UNSUPPORTED, "JPEG 2000"},
    {"\xFF\x0A\xFF\xFF", 4, CNN_ERROR_UNSUPPORTED, "JPEG XL"},
    {"", 0, CNN_ERROR_FORMAT, "empty"},
    {"\xFF\xD8", 2, CNN_ERROR_FORMAT, "begins with \"\\xFF\\xD8\""},
    {"\x89PNG\r\n\x1A", 7, CNN_ERROR_FORMAT, "begins with"},
    {"<!DOCTYPE html>\n<html>", 22, CNN_ERROR_FORMAT, "begins with \"<!DOCTYPE ht\""},
};

/* Damaged, or, in a build without the decoder, unsupported. */
START_TEST(the_first_bytes_alone_are_no_picture)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } formats[] = {{"\xFF\xD8\xFF", 3, "JPEG"}, {"\x89PNG\r\n\x1A\n", 8, "PNG"}};
    for (int32_t i = 0; i < CNNI_COUNT(formats); i++) {
        cnn_tensor *image;
        cnn_status status = cnn_image_decode(&image, context, formats[i].bytes, formats[i].size, 3);
        ck_assert(status == CNN_ERROR_FORMAT || status == CNN_ERROR_UNSUPPORTED);
        check_message(formats[i].name);
        check_message(status == CNN_ERROR_FORMAT ? "damaged" : "which this build cannot decode");
    }
}
END_TEST

START_TEST(other_formats_are_refused_by_name)
{
    int mark;
    cnn_tensor *image = (cnn_tensor *)&mark;
    check_failure(cnn_image_decode(&image, context, beginnings[_i].bytes, beginnings[_i].size, 3),
                  beginnings[_i].status, beginnings[_i].part);
    check_message("cnn_image_decode: ");
    ck_assert_ptr_null(image);
}
END_TEST

/* ---- Arguments and files ---- */

START_TEST(impossible_arguments_are_refused)
{
    int mark;
    cnn_tensor *image = (cnn_tensor *)&mark;
    check_failure(cnn_image_decode(NULL, context, "", 0, 3), CNN_ERROR_INVALID, "image is NULL");
    check_failure(cnn_image_decode(&image, NULL, "", 0, 3), CNN_ERROR_INVALID, "context is NULL");
    ck_assert_ptr_null(image);
    check_failure(cnn_image_decode(&image, context, NULL, 0, 3), CNN_ERROR_INVALID,
                  "bytes is NULL");
    check_failure(cnn_image_decode(&image, context, "", 0, 2), CNN_ERROR_INVALID, "channels is 2");
    check_failure(cnn_image_load(&image, context, NULL, 3), CNN_ERROR_INVALID, "path is NULL");
    check_failure(cnn_image_load(&image, context, "a", 4), CNN_ERROR_INVALID, "channels is 4");
    image = (cnn_tensor *)&mark;
    check_failure(cnn_image_decode_scaled(&image, context, "", 0, 3, 0, 7), CNN_ERROR_INVALID,
                  "height and width are 0 and 7");
    ck_assert_ptr_null(image);
    check_failure(cnn_image_decode_scaled(&image, context, "", 0, 3, 7, -1), CNN_ERROR_INVALID,
                  "height and width are 7 and -1");
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    cnn_tensor *image;
    file_write(folder_path("secret.jpg"), "\xFF\xD8\xFF", 3);
    ck_assert_int_eq(chmod(folder_path("."), 0755), 0);
    ck_assert_int_eq(chmod(folder_path("secret.jpg"), 0), 0);
    if (!become_ordinary_user())
        return;
    check_failure(cnn_image_load(&image, context, folder_path("secret.jpg"), 3), CNN_ERROR_IO,
                  "Permission denied");
    check_failure(cnn_image_load_scaled(&image, context, folder_path("secret.jpg"), 3, 8, 8),
                  CNN_ERROR_IO, "Permission denied");
    ck_assert_ptr_null(image);
}
END_TEST

/* Writes a file of its own and loads it, for a picture of `side` x `side` if that is not 0; returns
 * the status. */
static cnn_status load_bytes_for(cnn_tensor **image, const void *bytes, size_t size, int64_t side)
{
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/libcnn-test-XXXXXX", folder != NULL ? folder : "/tmp");
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
    close(file);
    cnn_status status = side > 0 ? cnn_image_load_scaled(image, context, path, 3, side, side)
                                 : cnn_image_load(image, context, path, 3);
    if (status != CNN_OK)
        check_message(path);
    unlink(path);
    return status;
}

static cnn_status load_bytes(cnn_tensor **image, const void *bytes, size_t size)
{
    return load_bytes_for(image, bytes, size, 0);
}

START_TEST(files_are_loaded_scaled)
{
    struct file_bytes file = read_picture("jpeg_420.jpg");
    cnn_tensor *loaded, *decoded;
    ck_assert_int_eq(load_bytes_for(&loaded, file.bytes, file.size, 8), CNN_OK);
    ck_assert_int_eq(cnn_image_decode_scaled(&decoded, context, file.bytes, file.size, 3, 8, 8),
                     CNN_OK);
    ck_assert_uint_eq(cnn_tensor_bytes(loaded), cnn_tensor_bytes(decoded));
    ck_assert_mem_eq(cnn_tensor_data(loaded), cnn_tensor_data(decoded), cnn_tensor_bytes(decoded));
    cnn_tensor_free(loaded);
    cnn_tensor_free(decoded);
    check_failure(load_bytes_for(&loaded, file.bytes, file.size / 2, 8), CNN_ERROR_FORMAT,
                  "damaged JPEG");
    check_failure(cnn_image_load_scaled(&loaded, context, "/no/such/file.jpg", 3, 8, 8),
                  CNN_ERROR_NOT_FOUND, "cnn_image_load_scaled: cannot open");
    check_failure(cnn_image_load_scaled(&loaded, context, "a.jpg", 3, 8, 0), CNN_ERROR_INVALID,
                  "height and width are 8 and 0");
    check_failure(cnn_image_load_scaled(&loaded, context, NULL, 3, 8, 8), CNN_ERROR_INVALID,
                  "path is NULL");
    ck_assert_ptr_null(loaded);
    free(file.bytes);
}
END_TEST

START_TEST(files_are_loaded)
{
    static const char text[] = "not a picture\n";
    struct file_bytes file = read_picture("jpeg_420.jpg");
    cnn_tensor *loaded, *decoded;
    ck_assert_int_eq(load_bytes(&loaded, file.bytes, file.size), CNN_OK);
    ck_assert_int_eq(cnn_image_decode(&decoded, context, file.bytes, file.size, 3), CNN_OK);
    ck_assert_mem_eq(cnn_tensor_data(loaded), cnn_tensor_data(decoded), cnn_tensor_bytes(decoded));
    cnn_tensor_free(loaded);
    cnn_tensor_free(decoded);
    check_failure(load_bytes(&loaded, text, sizeof text - 1), CNN_ERROR_FORMAT,
                  "begins with \"not a pictur\"");
    check_failure(load_bytes(&loaded, text, 0), CNN_ERROR_FORMAT, "empty");
    check_failure(load_bytes(&loaded, file.bytes, file.size / 2), CNN_ERROR_FORMAT, "damaged JPEG");
    check_failure(cnn_image_load(&loaded, context, "/no/such\n/file.jpg", 3), CNN_ERROR_NOT_FOUND,
                  "cnn_image_load: cannot open \"/no/such\\x0A/file.jpg\"");
    check_failure(cnn_image_load(&loaded, context, ".", 3), CNN_ERROR_IO, "is a folder");
    ck_assert_ptr_null(loaded);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_IMAGE_BYTES, 10), CNN_OK);
    check_failure(load_bytes(&loaded, file.bytes, file.size), CNN_ERROR_LIMIT, "image bytes");
    free(file.bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image");
    TCase *always = tcase_create("always"), *decoding = tcase_create("decoding");
    tcase_add_unchecked_fixture(always, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(always, set_up, tear_down);
    tcase_add_loop_test(always, orientation_is_found_or_upright, 0, CNNI_COUNT(blocks));
    tcase_add_test(always, the_first_bytes_alone_are_no_picture);
    tcase_add_loop_test(always, other_formats_are_refused_by_name, 0, CNNI_COUNT(beginnings));
    tcase_add_test(always, impossible_arguments_are_refused);
    tcase_add_test(always, files_that_cannot_be_read);
    suite_add_tcase(suite, always);
    tcase_add_checked_fixture(decoding, set_up, tear_down);
    tcase_add_loop_test(decoding, fixtures_decode_to_their_pixels, 0, CNNI_COUNT(fixtures));
    tcase_add_test(decoding, one_pixel_is_a_picture);
    tcase_add_loop_test(decoding, scaled_decoding_stays_above_what_is_wanted, 0,
                        CNNI_COUNT(scales));
    tcase_add_test(decoding, scaled_decoding_gives_the_known_pixels);
    tcase_add_test(decoding, scaled_decoding_means_the_upright_size);
    tcase_add_test(decoding, a_png_is_not_scaled);
    tcase_add_test(decoding, files_are_loaded);
    tcase_add_test(decoding, files_are_loaded_scaled);
    if (has_decoders())
        suite_add_tcase(suite, decoding);
    return run_suite(suite);
}
