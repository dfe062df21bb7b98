/* SPDX-License-Identifier: MIT
 * Decoding what is damaged or hostile: files cut short at every length, single wrong bytes,
 * pictures and memory beyond the limits, refused memory.  Every failure is a status with a text,
 * nothing leaks, and the context goes on working. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/fixtures.h"
#include "support/log_lines.h"
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

static void check_failure(cnn_status got, cnn_status wanted, const char *part)
{
    ck_assert_msg(got == wanted, "%s instead of %s: %s", cnn_status_name(got),
                  cnn_status_name(wanted), cnn_error_message());
    ck_assert_msg(strstr(cnn_error_message(), part) != NULL, "\"%s\" does not have \"%s\"",
                  cnn_error_message(), part);
}

static struct file_bytes read_picture(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "images/%s", name);
    return fixture_read(path);
}

/* Decodes `size` bytes from memory that ends there, so that sanitizers see a step beyond; frees the
 * picture. */
static cnn_status decode(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size + 1);
    cnn_tensor *image;
    memcpy(exact + 1, bytes, size);
    cnn_status status = cnn_image_decode(&image, context, exact + 1, size, 3);
    ck_assert_int_eq(status != CNN_OK, image == NULL);
    cnn_tensor_free(image);
    free(exact);
    return status;
}

/* ---- Damage ---- */

static const char *const pictures[] = {
    "jpeg_420.jpg",
    "jpeg_progressive.jpg",
    "jpeg_restart.jpg",
    "jpeg_cmyk.jpg",
    "jpeg_orientation_6.jpg",
    "png_rgb_8.png",
    "png_gray_4.png",
    "png_rgba_16_interlaced.png",
    "png_palette_alpha_4.png",
    "png_orientation_6.png",
    "png_text.png",
};

START_TEST(a_file_cut_short_is_damaged)
{
    struct file_bytes file = read_picture(pictures[_i]);
    for (size_t size = 0; size < file.size; size++)
        check_failure(decode(file.bytes, size), CNN_ERROR_FORMAT,
                      size < 3 ? "cnn_image_decode: " : "");
    ck_assert_int_eq(decode(file.bytes, file.size), CNN_OK);
    free(file.bytes);
}
END_TEST

/* ---- Leniency ---- */

static cnn_tensor *decode_leniently(const uint8_t *bytes, size_t size)
{
    cnn_tensor *image;
    ck_assert_msg(cnn_image_decode(&image, context, bytes, size, 3) == CNN_OK, "%zu bytes: %s",
                  size, cnn_error_message());
    return image;
}

/* Whatever there is of a JPEG that has begun comes out: the rows above the cut as in the whole. */
START_TEST(a_jpeg_cut_short_is_decoded_on_request)
{
    struct log_lines lines;
    struct file_bytes file = read_picture("jpeg_444.jpg"); /* several rows of blocks, 8 high */
    cnn_tensor *whole = decode_leniently(file.bytes, file.size);
    const size_t row = (size_t)cnn_tensor_dim(whole, 1) * 3;
    log_lines_keep(&lines, context);
    ck_assert_int_eq(cnn_context_set_lenient(context, 1), CNN_OK);
    cnn_tensor *without_end = decode_leniently(file.bytes, file.size - 2);
    cnn_tensor *half = decode_leniently(file.bytes, file.size - 200);
    ck_assert_mem_eq(cnn_tensor_data(without_end), cnn_tensor_data(whole), cnn_tensor_bytes(whole));
    ck_assert_mem_eq(cnn_tensor_data(half), cnn_tensor_data(whole), 8 * row);
    ck_assert_mem_ne(cnn_tensor_data(half), cnn_tensor_data(whole), cnn_tensor_bytes(whole));
    ck_assert_int_eq(lines.count, 2);
    for (int32_t i = 0; i < 2; i++)
        ck_assert_str_eq(lines.text[i],
                         "cnn_image_decode: decoded a damaged JPEG: Premature end of JPEG file");
    check_failure(decode(file.bytes, 100), CNN_ERROR_FORMAT, "damaged JPEG");
    ck_assert_int_eq(lines.count, 2);
    ck_assert_int_eq(cnn_context_set_lenient(context, 0), CNN_OK);
    check_failure(decode(file.bytes, file.size - 2), CNN_ERROR_FORMAT, "Premature end");
    cnn_tensor_free(whole);
    cnn_tensor_free(without_end);
    cnn_tensor_free(half);
    free(file.bytes);
}
END_TEST

/* Leniency lets no file do harm, and no other sort of file through. */
START_TEST(leniency_ends_where_pictures_end)
{
    struct file_bytes file = read_picture(pictures[_i]);
    ck_assert_int_eq(cnn_context_set_lenient(context, 1), CNN_OK);
    for (size_t size = 0; size < file.size; size++) {
        cnn_status status = decode(file.bytes, size);
        if (status != CNN_OK || file.bytes[0] != 0xFF)
            check_failure(status, CNN_ERROR_FORMAT, "");
    }
    free(file.bytes);
}
END_TEST

/* Bytes behind the picture belong to nobody: cameras and web servers leave some. */
START_TEST(bytes_behind_the_picture_are_ignored)
{
    struct file_bytes file = read_picture(pictures[_i]);
    file.bytes = realloc(file.bytes, file.size + 1000);
    memset(file.bytes + file.size, 0xFF, 1000);
    ck_assert_int_eq(decode(file.bytes, file.size + 1000), CNN_OK);
    free(file.bytes);
}
END_TEST

/* Whatever a wrong byte makes of the file, the result is a picture or a failure of these kinds. */
START_TEST(wrong_bytes_do_no_harm)
{
    static const uint8_t flips[] = {0x01, 0x10, 0x80, 0xFF};
    struct file_bytes file = read_picture(pictures[_i]);
    int64_t failures = 0;
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_IMAGE_PIXELS, 1 << 20), CNN_OK);
    for (size_t i = 0; i < file.size; i++)
        for (int32_t k = 0; k < CNNI_COUNT(flips); k++) {
            file.bytes[i] ^= flips[k];
            cnn_status status = decode(file.bytes, file.size);
            file.bytes[i] ^= flips[k];
            failures += status != CNN_OK;
            ck_assert_msg(status == CNN_OK || status == CNN_ERROR_FORMAT ||
                              status == CNN_ERROR_UNSUPPORTED || status == CNN_ERROR_LIMIT,
                          "%s, byte %zu: %s", pictures[_i], i, cnn_error_message());
        }
    ck_assert_int_gt(failures, 20);
    ck_assert_int_eq(decode(file.bytes, file.size), CNN_OK);
    free(file.bytes);
}
END_TEST

/* Every byte of a PNG is under a checksum. */
START_TEST(a_wrong_checksum_is_damage)
{
    struct file_bytes file = read_picture("png_text.png");
    for (size_t i = 8; i < file.size; i++) {
        file.bytes[i] ^= 1;
        ck_assert_msg(decode(file.bytes, file.size) != CNN_OK, "byte %zu", i);
        file.bytes[i] ^= 1;
    }
    free(file.bytes);
}
END_TEST

/* Some cameras pad the last scan; all pixels are there. */
START_TEST(padding_before_the_end_marker_is_allowed)
{
    struct file_bytes file = read_picture("jpeg_420.jpg");
    uint8_t *padded = malloc(file.size + 9);
    memcpy(padded, file.bytes, file.size - 2);
    memset(padded + file.size - 2, 0x55, 9);
    memcpy(padded + file.size + 7, "\xFF\xD9", 2);
    ck_assert_int_eq(decode(padded, file.size + 9), CNN_OK);
    free(padded);
    free(file.bytes);
}
END_TEST

/* All pixels are there, but behind them the file breaks off within a comment. */
START_TEST(a_file_without_its_end_is_damaged)
{
    struct file_bytes file = read_picture("jpeg_420.jpg");
    uint8_t *longer = malloc(file.size + 4);
    memcpy(longer, file.bytes, file.size - 2);
    memcpy(longer + file.size - 2, "\xFF\xFE\0\x09one", 6);
    check_failure(decode(longer, file.size + 4), CNN_ERROR_FORMAT, "damaged JPEG");
    free(longer);
    free(file.bytes);
}
END_TEST

/* Where the first marker `marker` begins. */
static size_t find_marker(const struct file_bytes *file, uint8_t marker)
{
    for (size_t i = 0; i + 1 < file->size; i++)
        if (file->bytes[i] == 0xFF && file->bytes[i + 1] == marker)
            return i;
    ck_abort_msg("no marker %02X", marker);
    return 0;
}

START_TEST(other_sorts_of_jpeg_are_unsupported)
{
    struct file_bytes file = read_picture("jpeg_420.jpg");
    uint8_t *frame =
        file.bytes + find_marker(&file, 0xC0); /* SOF0: FF C0, length, precision, ... */
    frame[4] = 12;
    check_failure(decode(file.bytes, file.size), CNN_ERROR_UNSUPPORTED, "12");
    frame[4] = 8;
    frame[1] = 0xC5; /* hierarchical */
    check_failure(decode(file.bytes, file.size), CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported");
    frame[1] = 0xC0;
    ck_assert_int_eq(decode(file.bytes, file.size), CNN_OK);
    free(file.bytes);
}
END_TEST

/* ---- Limits ---- */

static const struct {
    const char *name;
    cnn_limit limit;
    int64_t value;  /* refused; 0: the default one */
    int64_t enough; /* accepted; 0: none is */
    const char *part;
} limits[] = {
    {"jpeg_60000.jpg", CNN_LIMIT_IMAGE_SIDE, 0, 0,
     "width is 60000, more than the limit \"image side\""},
    {"png_60000.png", CNN_LIMIT_IMAGE_SIDE, 0, 0,
     "width is 60000, more than the limit \"image side\""},
    {"jpeg_60000.jpg", CNN_LIMIT_IMAGE_SIDE, 60000, 0, "number of pixels is 3600000000"},
    {"png_60000.png", CNN_LIMIT_IMAGE_SIDE, 60000, 0, "number of pixels is 3600000000"},
    {"jpeg_420.jpg", CNN_LIMIT_IMAGE_SIDE, 26, 27, "width is 27"},
    {"png_rgb_8.png", CNN_LIMIT_IMAGE_SIDE, 26, 27, "width is 27"},
    {"jpeg_orientation_6.jpg", CNN_LIMIT_IMAGE_SIDE, 26, 27, "height is 27"},
    {"jpeg_420.jpg", CNN_LIMIT_IMAGE_PIXELS, 512, 513, "number of pixels is 513"},
    {"png_rgb_8.png", CNN_LIMIT_IMAGE_PIXELS, 512, 513, "number of pixels is 513"},
    {"jpeg_420.jpg", CNN_LIMIT_IMAGE_BYTES, 200, 5000, "limit \"image bytes\" of 200"},
    {"jpeg_progressive.jpg", CNN_LIMIT_JPEG_SCANS, 3, 20, "limit \"jpeg scans\" of 3"},
    {"jpeg_high_progressive.jpg", CNN_LIMIT_DECODER_BYTES, 5000, 1000000, "decoder bytes"},
    {"jpeg_orientation_6.jpg", CNN_LIMIT_DECODER_BYTES, 19 * 27 * 3 - 1, 1000000, "decoder bytes"},
    {"png_rgb_8.png", CNN_LIMIT_DECODER_BYTES, 30000, 1000000, "decoder bytes"},
    {"png_rgba_16_interlaced.png", CNN_LIMIT_DECODER_BYTES, 1000, 1000000, "decoder bytes"},
};

START_TEST(limits_hold)
{
    struct file_bytes file = read_picture(limits[_i].name);
    if (limits[_i].value > 0)
        ck_assert_int_eq(cnn_context_set_limit(context, limits[_i].limit, limits[_i].value),
                         CNN_OK);
    check_failure(decode(file.bytes, file.size), CNN_ERROR_LIMIT, limits[_i].part);
    if (limits[_i].enough > 0) {
        cnn_context_set_limit(context, limits[_i].limit, limits[_i].enough);
        ck_assert_int_eq(decode(file.bytes, file.size), CNN_OK);
    }
    free(file.bytes);
}
END_TEST

/* The sides that libjpeg itself refuses. */
START_TEST(the_largest_jpeg_header_is_beyond_a_limit)
{
    struct file_bytes file = read_picture("jpeg_60000.jpg");
    memset(file.bytes + find_marker(&file, 0xC0) + 5, 0xFF, 4);
    cnn_context_set_limit(context, CNN_LIMIT_IMAGE_SIDE, 1 << 20);
    check_failure(decode(file.bytes, file.size), CNN_ERROR_LIMIT, "JPEG too large");
    free(file.bytes);
}
END_TEST

/* ---- Memory ---- */

START_TEST(refused_memory_is_reported_and_nothing_leaks)
{
    struct file_bytes file = read_picture(pictures[_i]);
    cnn_status status = CNN_ERROR_MEMORY;
    int64_t failures = 0;
    for (; status != CNN_OK; failures++) {
        accounts.calls = 0;
        accounts.refuse_at = failures + 1;
        status = decode(file.bytes, file.size);
        if (status != CNN_OK)
            check_failure(status, CNN_ERROR_MEMORY, ": no memory for ");
        ck_assert_int_eq(accounts.blocks, 0);
    }
    ck_assert_int_ge(failures, 2);
    free(file.bytes);
}
END_TEST

/* ---- Threads ---- */

enum { THREADS = 4, ROUNDS = 5 };

static cnn_context *shared;

static void *decode_all(void *picture)
{
    const struct file_bytes *file = picture;
    cnn_status status = CNN_OK;
    for (int32_t i = 0; i < ROUNDS && status == CNN_OK; i++) {
        cnn_tensor *image, *damaged;
        status = cnn_image_decode(&image, shared, file->bytes, file->size, 3);
        if (cnn_image_decode(&damaged, shared, file->bytes, file->size / 2, 3) != CNN_ERROR_FORMAT)
            status = CNN_ERROR_STATE;
        cnn_tensor_free(image);
    }
    return status == CNN_OK ? picture : NULL;
}

START_TEST(one_context_serves_many_threads)
{
    struct file_bytes files[THREADS];
    pthread_t threads[THREADS];
    ck_assert_int_eq(cnn_context_create_isolated(&shared), CNN_OK);
    for (int32_t i = 0; i < THREADS; i++) {
        files[i] = read_picture(pictures[i + 3]);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, decode_all, &files[i]), 0);
    }
    for (int32_t i = 0; i < THREADS; i++) {
        void *result;
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_eq(result, &files[i]);
        free(files[i].bytes);
    }
    cnn_context_free(shared);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_damage");
    TCase *tcase = tcase_create("image_damage");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_file_cut_short_is_damaged, 0, CNNI_COUNT(pictures));
    tcase_add_test(tcase, a_jpeg_cut_short_is_decoded_on_request);
    tcase_add_loop_test(tcase, leniency_ends_where_pictures_end, 0, CNNI_COUNT(pictures));
    tcase_add_loop_test(tcase, bytes_behind_the_picture_are_ignored, 0, CNNI_COUNT(pictures));
    tcase_add_loop_test(tcase, wrong_bytes_do_no_harm, 0, CNNI_COUNT(pictures));
    tcase_add_test(tcase, a_wrong_checksum_is_damage);
    tcase_add_test(tcase, padding_before_the_end_marker_is_allowed);
    tcase_add_test(tcase, a_file_without_its_end_is_damaged);
    tcase_add_test(tcase, other_sorts_of_jpeg_are_unsupported);
    tcase_add_loop_test(tcase, limits_hold, 0, CNNI_COUNT(limits));
    tcase_add_test(tcase, the_largest_jpeg_header_is_beyond_a_limit);
    tcase_add_loop_test(tcase, refused_memory_is_reported_and_nothing_leaks, 0,
                        CNNI_COUNT(pictures));
    tcase_add_test(tcase, one_context_serves_many_threads);
    tcase_set_timeout(tcase, 60);
    if (has_decoders())
        suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
