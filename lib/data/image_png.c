/* SPDX-License-Identifier: MIT
 * PNG through libpng's row interface: the only file that sees png.h.  Recognising the format,
 * and turning the result upright, is in image.c.
 *
 * Libpng delivers 8-bit rows of 1 (gray), 2 (gray, alpha), 3 or 4 channels; laying them over
 * white and converting between gray and colour happens here.  As in image_jpeg.c, errors jump
 * back into guarded(), the only setjmp. */
#include "data/image_decoder.h"

#ifdef CNNI_HAVE_PNG

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

/* What one chunk other than pixels may take, and how many of them are kept.  All that could be
 * large is skipped anyway. */
enum { CHUNK_BYTES = 1 << 20, CHUNK_COUNT = 128 };

struct png {
    png_structp png;
    png_infop info;
    struct cnni_decoding *decoding;
    size_t offset;    /* of the next byte to read */
    int64_t memory;   /* bytes that libpng and this file have asked for */
    int32_t channels; /* of libpng's rows: 1 to 4 */
    int32_t passes;   /* 7 for an interlaced picture, else 1 */
    uint8_t *rows;    /* where they must be converted: one row, of an interlaced picture all */
    cnn_status status;
    jmp_buf escape;
};

/* ---- What libpng calls --------------------------------------------------------------------- */

/* A failed allocation has said why already; libpng only knows that it got nothing. */
__attribute__((noreturn)) static void fail_with_message(png_structp library, png_const_charp text)
{
    struct png *png = png_get_error_ptr(library);
    if (png->status == CNN_OK)
        png->status = cnni_decoding_fail(png->decoding, CNN_ERROR_FORMAT, "damaged PNG", text);
    longjmp(png->escape, 1);
}

/* Libpng warns of curiosities (a known wrong colour profile, a palette index beyond the palette,
 * which is black); lost pixels are errors. */
static void ignore_warning(png_structp library, png_const_charp text)
{
    (void)library;
    (void)text;
}

/* Adds to the memory of this decoding, if the context allows it.  Nothing is subtracted when
 * memory is freed: there is little of that. */
static cnn_status take_memory(struct png *png, size_t size)
{
    cnn_context *context = png->decoding->context;
    if (!cnni_add_int64(&png->memory, png->memory, (int64_t)CNNI_MIN(size, INT64_MAX)))
        png->memory = INT64_MAX;
    return cnni_check_limit(context, CNN_LIMIT_DECODER_BYTES, png->memory,
                            png->decoding->request->function, "memory for the PNG");
}

static png_voidp allocate(png_structp library, png_alloc_size_t size)
{
    struct png *png = png_get_mem_ptr(library);
    void *memory = NULL;
    cnn_status status = take_memory(png, size);
    if (status == CNN_OK)
        status =
            cnni_alloc(&memory, png->decoding->context, size, 1, png->decoding->request->function);
    if (status != CNN_OK)
        png->status = status;
    return memory;
}

static void release(png_structp library, png_voidp memory)
{
    struct png *png = png_get_mem_ptr(library);
    cnni_free(png->decoding->context, memory);
}

static void read_bytes(png_structp library, png_bytep target, size_t size)
{
    struct png *png = png_get_io_ptr(library);
    if (size > png->decoding->size - png->offset)
        png_error(library, "ends too early");
    memcpy(target, png->decoding->bytes + png->offset, size);
    png->offset += size;
}

/* Runs one step; false when libpng failed in it. */
static bool guarded(struct png *png, void (*step)(struct png *png))
{
    if (setjmp(png->escape) != 0)
        return false;
    step(png);
    return true;
}

/* ---- Header -------------------------------------------------------------------------------- */

static void create(struct png *png)
{
    png->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, png, fail_with_message,
                                        ignore_warning, png, allocate, release);
    if (png->png != NULL)
        png->info = png_create_info_struct(png->png);
    if (png->info == NULL && png->status == CNN_OK)
        png->status = cnni_decoding_fail(png->decoding, CNN_ERROR_UNSUPPORTED, "no PNG decoder",
                                         "another version of libpng than the build was made for");
}

static void read_header(struct png *png)
{
    png_structp library = png->png;
    png_set_read_fn(library, png, read_bytes);
    /* The context's limits are checked right behind the header, with a text that names them. */
    png_set_user_limits(library, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(library, CHUNK_BYTES);
    png_set_chunk_cache_max(library, CHUNK_COUNT);
    png_set_crc_action(library, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_benign_errors(library, 1);
    /* Of all that is no pixel or palette only the orientation is read. */
    png_set_keep_unknown_chunks(library, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(library, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "eXIf", 1);
    png_read_info(library, png->info);
}

static void set_conversions(struct png *png)
{
    png_set_scale_16(png->png);
    png_set_expand(png->png); /* palette, fewer than 8 bits, a transparent colour */
    if (png->decoding->request->channels == 3)
        png_set_gray_to_rgb(png->png);
    png->passes = png_set_interlace_handling(png->png);
    png_read_update_info(png->png, png->info);
    png->channels = png_get_channels(png->png, png->info);
}

/* ---- Pixels -------------------------------------------------------------------------------- */

static bool must_convert(const struct png *png)
{
    return png->channels != png->decoding->image.c;
}

/* The picture's own bytes exist, of which these are at most four times as many. */
static cnn_status make_rows(struct png *png)
{
    const struct cnni_image *image = &png->decoding->image;
    const size_t size = (size_t)(image->w * png->channels);
    const size_t count = png->passes > 1 ? (size_t)image->h : 1;
    if (!must_convert(png))
        return CNN_OK;
    CNNI_TRY(take_memory(png, size * count));
    return cnni_alloc(&png->rows, png->decoding->context, count, size,
                      png->decoding->request->function);
}

static uint8_t over_white(uint32_t value, uint32_t alpha)
{
    return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* One row of `channels` per pixel to one of the picture's, which are fewer. */
static void convert_row(const struct cnni_image *image, int64_t y, const uint8_t *row,
                        int32_t channels)
{
    const bool has_alpha = channels % 2 == 0;
    const int32_t colors = channels - has_alpha;
    uint8_t *out = image->pixels + y * image->w * image->c;
    for (int64_t x = 0; x < image->w; x++, row += channels, out += image->c) {
        uint8_t opaque[3];
        for (int32_t k = 0; k < colors; k++)
            opaque[k] = has_alpha ? over_white(row[k], row[colors]) : row[k];
        if (image->c == colors)
            memcpy(out, opaque, (size_t)colors);
        else
            *out = cnni_luma(opaque);
    }
}

/* The passes of an interlaced picture complete each other's rows, so that all must be kept. */
static void read_rows(struct png *png)
{
    const struct cnni_image *image = &png->decoding->image;
    const bool convert = must_convert(png);
    uint8_t *rows = convert ? png->rows : image->pixels;
    const int64_t size = image->w * png->channels;
    const int64_t step = convert && png->passes == 1 ? 0 : size;
    for (int32_t pass = 1; pass <= png->passes; pass++)
        for (int64_t y = 0; y < image->h; y++) {
            png_read_row(png->png, rows + y * step, NULL);
            if (convert && pass == png->passes)
                convert_row(image, y, rows + y * step, png->channels);
        }
}

/* The orientation may stand on either side of the pixels. */
static void read_end(struct png *png)
{
    png_uint_32 size;
    png_bytep exif;
    png_read_end(png->png, png->info);
    if (png_get_eXIf_1(png->png, png->info, &size, &exif) != 0)
        png->decoding->orientation = cnni_exif_orientation(exif, size);
}

static void read_pixels(struct png *png)
{
    read_rows(png);
    read_end(png);
}

/* ---- All of it ----------------------------------------------------------------------------- */

static cnn_status decode(struct png *png)
{
    if (!guarded(png, create) || png->info == NULL)
        return png->status;
    if (!guarded(png, read_header))
        return png->status;
    const int64_t h = png_get_image_height(png->png, png->info);
    const int64_t w = png_get_image_width(png->png, png->info);
    CNNI_TRY(cnni_decoding_check_size(png->decoding, h, w));
    if (!guarded(png, set_conversions))
        return png->status;
    CNNI_TRY(cnni_decoding_make_image(png->decoding, h, w));
    CNNI_TRY(make_rows(png));
    return guarded(png, read_pixels) ? CNN_OK : png->status;
}

cnn_status cnni_png_decode(struct cnni_decoding *decoding)
{
    struct png png = {.decoding = decoding};
    cnn_status status = decode(&png);
    png_destroy_read_struct(&png.png, &png.info, NULL);
    cnni_free(decoding->context, png.rows);
    return status;
}

#endif
