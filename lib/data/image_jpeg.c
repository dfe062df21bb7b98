/* SPDX-License-Identifier: MIT
 * JPEG through libjpeg(-turbo): the only file that sees jpeglib.h.  Recognising the format, and
 * turning the result upright, is in image.c.
 *
 * libjpeg reports errors by a call that must not return.  Ours jumps back into guarded(), the
 * only setjmp; between jumps nothing of ours is on the stack that would need cleaning up, and no
 * lock is held and no callback runs below it that a jump could pass over. */
#include "data/image_decoder.h"

#ifdef CNNI_HAVE_JPEG

#include "base/context_internal.h"
#include "base/error.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* Rows handed to libjpeg at a time: what it makes of one row of blocks. */
enum { ROWS = 16 };

struct jpeg {
    struct jpeg_decompress_struct info; /* its client_data is this struct */
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct cnni_decoding *decoding;
    cnn_status status;
    jmp_buf escape;
};

/* ---- Errors -------------------------------------------------------------------------------- */

/* What libjpeg's errors mean to our callers; every other one means damage. */
static const struct {
    int code;
    cnn_status status;
    const char *what;
} meanings[] = {
    {JERR_OUT_OF_MEMORY, CNN_ERROR_MEMORY, "no memory for the JPEG"},
    {JERR_NO_BACKING_STORE, CNN_ERROR_LIMIT, "JPEG beyond the limit \"decoder bytes\""},
    {JERR_IMAGE_TOO_BIG, CNN_ERROR_LIMIT, "JPEG too large for the decoder"},
    {JERR_WIDTH_OVERFLOW, CNN_ERROR_LIMIT, "JPEG too large for the decoder"},
    {JERR_BAD_PRECISION, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_SOF_UNSUPPORTED, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_ARITH_NOTIMPL, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_CONVERSION_NOTIMPL, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_COMPONENT_COUNT, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_FRACT_SAMPLE_NOTIMPL, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_NOTIMPL, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
    {JERR_NOT_COMPILED, CNN_ERROR_UNSUPPORTED, "JPEG of an unsupported sort"},
};

__attribute__((noreturn)) static void escape(struct jpeg *jpeg, cnn_status status)
{
    jpeg->status = status;
    longjmp(jpeg->escape, 1);
}

__attribute__((noreturn)) static void fail_with_message(j_common_ptr common)
{
    struct jpeg *jpeg = common->client_data;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    for (int32_t i = 0; i < CNNI_COUNT(meanings); i++)
        if (meanings[i].code == common->err->msg_code)
            escape(jpeg,
                   cnni_decoding_fail(jpeg->decoding, meanings[i].status, meanings[i].what, text));
    escape(jpeg, cnni_decoding_fail(jpeg->decoding, CNN_ERROR_FORMAT, "damaged JPEG", text));
}

/* Keeps the first of the warnings; later ones are mostly its consequences. */
static void pass_over(const struct jpeg *jpeg)
{
    const struct cnni_image_request *request = jpeg->decoding->request;
    char text[JMSG_LENGTH_MAX];
    if (request->note == NULL || request->note[0] != '\0')
        return;
    jpeg->errors.format_message((j_common_ptr)&jpeg->info, text);
    snprintf(request->note, CNNI_ERROR_SIZE, "%s: decoded a damaged JPEG: %s", request->function,
             text);
}

/* Warnings (level -1) say that libjpeg guessed pixels, which nobody should train on unasked; except
 * these: bytes too many in front of the end marker, where all pixels are there, as some cameras
 * write them, and markers whose version libjpeg does not know. */
static void take_message(j_common_ptr common, int level)
{
    const int code = common->err->msg_code;
    const bool harmless = code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM ||
                          (code == JWRN_EXTRANEOUS_DATA && common->err->msg_parm.i[1] == JPEG_EOI);
    struct jpeg *jpeg = common->client_data;
    if (level >= 0 || harmless)
        return;
    if (!atomic_load(&jpeg->decoding->context->lenient))
        fail_with_message(common);
    pass_over(jpeg);
}

static void stay_silent(j_common_ptr common)
{
    (void)common;
}

/* Called over and over: a tiny file can ask for thousands of passes over a large picture. */
static void check_scans(j_common_ptr common)
{
    struct jpeg *jpeg = common->client_data;
    cnn_status status = cnni_check_limit(jpeg->decoding->context, CNN_LIMIT_JPEG_SCANS,
                                         jpeg->info.input_scan_number,
                                         jpeg->decoding->request->function, "the JPEG's scan");
    if (status != CNN_OK)
        escape(jpeg, status);
}

/* Runs one step; false when libjpeg failed in it. */
static bool guarded(struct jpeg *jpeg, void (*step)(struct jpeg *jpeg))
{
    if (setjmp(jpeg->escape) != 0)
        return false;
    step(jpeg);
    return true;
}

/* ---- Header -------------------------------------------------------------------------------- */

/* Looks for the orientation in an APP1 segment, in place: saving segments would let a file
 * allocate as much as it is long. */
static boolean read_app1(j_decompress_ptr info)
{
    static const char exif[6] = "Exif\0";
    struct jpeg *jpeg = info->client_data;
    struct jpeg_source_mgr *source = info->src;
    const uint8_t *segment = source->next_input_byte;
    size_t size = source->bytes_in_buffer < 2 ? 0 : (size_t)segment[0] << 8 | segment[1];
    if (size < 2 || size > source->bytes_in_buffer)
        ERREXIT(info, JERR_BAD_LENGTH);
    if (size >= 2 + sizeof exif && memcmp(segment + 2, exif, sizeof exif) == 0)
        jpeg->decoding->orientation =
            cnni_exif_orientation(segment + 2 + sizeof exif, size - 2 - sizeof exif);
    source->next_input_byte += size;
    source->bytes_in_buffer -= size;
    return TRUE;
}

static void read_header(struct jpeg *jpeg)
{
    struct cnni_decoding *decoding = jpeg->decoding;
    int64_t most_bytes = cnn_context_limit(decoding->context, CNN_LIMIT_DECODER_BYTES);
    jpeg_create_decompress(&jpeg->info);
    /* Beyond it libjpeg would use temporary files; libjpeg-turbo has none and reports an error. */
    jpeg->info.mem->max_memory_to_use = (long)CNNI_MIN(most_bytes, LONG_MAX);
    jpeg->info.progress = &jpeg->progress;
    jpeg_set_marker_processor(&jpeg->info, JPEG_APP0 + 1, read_app1);
    jpeg_mem_src(&jpeg->info, decoding->bytes, (unsigned long)decoding->size);
    jpeg_read_header(&jpeg->info, TRUE);
}

/* ---- Pixels -------------------------------------------------------------------------------- */

static bool is_cmyk(const struct jpeg *jpeg)
{
    return jpeg->info.out_color_space == JCS_CMYK;
}

/* What libjpeg shall convert to.  It does not know CMYK to RGB, which convert_cmyk() does. */
static cnn_status choose_color_space(struct jpeg *jpeg)
{
    struct jpeg_decompress_struct *info = &jpeg->info;
    char how[64];
    snprintf(how, sizeof how, "%d bits and %d components, must be 8 and 1, 3 or 4",
             info->data_precision, info->num_components);
    if (info->data_precision != 8 || info->jpeg_color_space == JCS_UNKNOWN)
        return cnni_decoding_fail(jpeg->decoding, CNN_ERROR_UNSUPPORTED,
                                  "JPEG of an unsupported sort", how);
    if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK)
        info->out_color_space = JCS_CMYK;
    else
        info->out_color_space = jpeg->decoding->request->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    return CNN_OK;
}

/* The largest of 8, 4, 2, 1 by which both sides may be divided, rounding up as libjpeg does. */
static unsigned choose_divisor(const struct jpeg *jpeg)
{
    const struct cnni_image_request *request = jpeg->decoding->request;
    const bool swaps = cnni_orientation_swaps(jpeg->decoding->orientation);
    const int64_t min_h = swaps ? request->min_w : request->min_h;
    const int64_t min_w = swaps ? request->min_h : request->min_w;
    unsigned divisor = request->min_h > 0 ? 8 : 1;
    while (divisor > 1 && (cnni_ceil_div(jpeg->info.image_height, divisor) < min_h ||
                           cnni_ceil_div(jpeg->info.image_width, divisor) < min_w))
        divisor /= 2;
    return divisor;
}

static void set_output_size(struct jpeg *jpeg)
{
    jpeg->info.dct_method = JDCT_ISLOW;
    jpeg->info.scale_num = 1;
    jpeg->info.scale_denom = choose_divisor(jpeg);
    jpeg_calc_output_dimensions(&jpeg->info);
}

static void read_rows(struct jpeg *jpeg)
{
    struct jpeg_decompress_struct *info = &jpeg->info;
    const struct cnni_image *image = &jpeg->decoding->image;
    while (info->output_scanline < info->output_height) {
        JSAMPROW rows[ROWS];
        JDIMENSION count = CNNI_MIN(info->output_height - info->output_scanline, ROWS);
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = image->pixels + (info->output_scanline + i) * image->w * image->c;
        jpeg_read_scanlines(info, rows, count);
    }
}

/* Four inks to red, green, blue.  Photoshop stores 255 for no ink, and everybody since, also in
 * files that do not have its marker; Pillow reads all of them so. */
static void convert_cmyk(uint8_t *rgb, const uint8_t *cmyk)
{
    for (int32_t k = 0; k < 3; k++)
        rgb[k] = (uint8_t)(((uint32_t)cmyk[k] * cmyk[3] + 127) / 255);
}

static void read_cmyk_rows(struct jpeg *jpeg)
{
    struct jpeg_decompress_struct *info = &jpeg->info;
    const struct cnni_image *image = &jpeg->decoding->image;
    uint8_t *out = image->pixels;
    JSAMPARRAY row =
        info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, info->output_width * 4, 1);
    while (info->output_scanline < info->output_height) {
        jpeg_read_scanlines(info, row, 1);
        for (int64_t x = 0; x < image->w; x++, out += image->c) {
            uint8_t rgb[3];
            convert_cmyk(rgb, row[0] + 4 * x);
            if (image->c == 3)
                memcpy(out, rgb, sizeof rgb);
            else
                *out = cnni_luma(rgb);
        }
    }
}

static void read_pixels(struct jpeg *jpeg)
{
    jpeg_start_decompress(&jpeg->info);
    if (is_cmyk(jpeg))
        read_cmyk_rows(jpeg);
    else
        read_rows(jpeg);
    /* Reads on to the end marker: a file that lacks it is not complete. */
    jpeg_finish_decompress(&jpeg->info);
}

/* ---- All of it ----------------------------------------------------------------------------- */

static cnn_status decode(struct jpeg *jpeg)
{
    struct cnni_decoding *decoding = jpeg->decoding;
    const struct jpeg_decompress_struct *info = &jpeg->info;
    if (!guarded(jpeg, read_header))
        return jpeg->status;
    CNNI_TRY(cnni_decoding_check_size(decoding, info->image_height, info->image_width));
    CNNI_TRY(choose_color_space(jpeg));
    if (!guarded(jpeg, set_output_size))
        return jpeg->status;
    CNNI_TRY(cnni_decoding_make_image(decoding, info->output_height, info->output_width));
    return guarded(jpeg, read_pixels) ? CNN_OK : jpeg->status;
}

cnn_status cnni_jpeg_decode(struct cnni_decoding *decoding)
{
    struct jpeg jpeg = {.decoding = decoding};
    jpeg.info.err = jpeg_std_error(&jpeg.errors);
    jpeg.errors.error_exit = fail_with_message;
    jpeg.errors.emit_message = take_message;
    jpeg.errors.output_message = stay_silent;
    jpeg.progress.progress_monitor = check_scans;
    jpeg.info.client_data = &jpeg;
    cnn_status status = decode(&jpeg);
    jpeg_destroy_decompress(&jpeg.info);
    return status;
}

#endif
