/* SPDX-License-Identifier: MIT
 * The public functions on pictures: recognising the format, finishing what a decoder delivers,
 * files, tensors.  The decoders are image_jpeg.c and image_png.c, orientation is image_exif.c,
 * the filter of resizing image_resize.c. */
#include "cnn/image.h"

#include "base/error.h"
#include "base/context_internal.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/image.h"
#include "data/image_decoder.h"
#include "data/image_resize.h"
#include "tensor/tensor_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- What decoders use --------------------------------------------------------------------- */

cnn_status cnni_decoding_check_size(const struct cnni_decoding *decoding, int64_t h, int64_t w)
{
    cnn_context *context = decoding->context;
    const char *function = decoding->request->function;
    /* No format has sides of 2^31 and more: the product fits whatever the limits are. */
    CNNI_ASSERT(h <= INT32_MAX && w <= INT32_MAX);
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_IMAGE_SIDE, w, function, "the picture's width"));
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_IMAGE_SIDE, h, function, "the picture's height"));
    return cnni_check_limit(context, CNN_LIMIT_IMAGE_PIXELS, h * w, function,
                            "the picture's number of pixels");
}

cnn_status cnni_decoding_make_image(struct cnni_decoding *decoding, int64_t h, int64_t w)
{
    const int64_t c = decoding->request->channels;
    decoding->image = (struct cnni_image){NULL, h, w, c};
    return cnni_alloc(&decoding->image.pixels, decoding->context, (size_t)(h * w), (size_t)c,
                      decoding->request->function);
}

cnn_status cnni_decoding_fail(const struct cnni_decoding *decoding, cnn_status status,
                              const char *what, const char *how)
{
    return cnni_fail(decoding->context, status, "%s: %s: %s", decoding->request->function, what,
                     how);
}

/* ---- Recognising the format ---------------------------------------------------------------- */

#ifdef CNNI_HAVE_JPEG
#define JPEG_DECODER cnni_jpeg_decode
#else
#define JPEG_DECODER NULL
#endif

#ifdef CNNI_HAVE_PNG
#define PNG_DECODER cnni_png_decode
#else
#define PNG_DECODER NULL
#endif

/* Formats by the bytes at one place.  Those without a decoder are there to be called by name. */
static const struct format {
    const char *name;
    int32_t offset, length;
    const char *bytes;
    cnni_decode_fn *decode;
} formats[] = {
    {"JPEG", 0, 3, "\xFF\xD8\xFF", JPEG_DECODER},
    {"PNG", 0, 8, "\x89PNG\r\n\x1A\n", PNG_DECODER},
    {"WebP", 8, 4, "WEBP", NULL},
    {"GIF", 0, 4, "GIF8", NULL},
    {"TIFF", 0, 4, "II*\0", NULL},
    {"TIFF", 0, 4, "MM\0*", NULL},
    {"AVIF", 4, 8, "ftypavif", NULL},
    {"HEIC", 4, 8, "ftypheic", NULL},
    {"HEIC", 4, 8, "ftypheix", NULL},
    {"HEIF", 4, 8, "ftypmif1", NULL},
    {"JPEG XL", 0, 2, "\xFF\x0A", NULL},
    {"JPEG XL", 4, 8, "JXL \r\n\x87\n", NULL},
    {"JPEG 2000", 4, 8, "jP  \r\n\x87\n", NULL},
    {"JPEG 2000", 0, 4, "\xFF\x4F\xFF\x51", NULL},
    {"Photoshop", 0, 4, "8BPS", NULL},
    {"Windows icon", 0, 4, "\0\0\1\0", NULL},
    {"BMP", 0, 2, "BM", NULL},
};

static const struct format *recognize(const uint8_t *bytes, size_t size)
{
    for (int32_t i = 0; i < CNNI_COUNT(formats); i++) {
        const struct format *format = &formats[i];
        if (size >= (size_t)(format->offset + format->length) &&
            memcmp(bytes + format->offset, format->bytes, (size_t)format->length) == 0)
            return format;
    }
    return NULL;
}

/* Says how an unknown file begins: often enough it is a web page that was saved as cat.jpg. */
static cnn_status fail_unknown(const struct cnni_decoding *decoding)
{
    char shown[64];
    if (decoding->size == 0)
        return cnni_decoding_fail(decoding, CNN_ERROR_FORMAT, "the picture is empty",
                                  "0 bytes, must be a JPEG or PNG");
    cnni_show_bytes(shown, sizeof shown, (const char *)decoding->bytes,
                    CNNI_MIN(decoding->size, 12));
    return cnni_fail(decoding->context, CNN_ERROR_FORMAT,
                     "%s: begins with \"%s\", not as a JPEG or PNG", decoding->request->function,
                     shown);
}

static cnn_status decode_as_stored(struct cnni_decoding *decoding)
{
    const struct format *format = recognize(decoding->bytes, decoding->size);
    if (format == NULL)
        return fail_unknown(decoding);
    if (format->decode == NULL)
        return cnni_fail(decoding->context, CNN_ERROR_UNSUPPORTED,
                         "%s: is a %s picture, which this build cannot decode",
                         decoding->request->function, format->name);
    return format->decode(decoding);
}

static cnn_status turn_upright(struct cnni_decoding *decoding)
{
    const struct cnni_image stored = decoding->image;
    const bool swaps = cnni_orientation_swaps(decoding->orientation);
    if (decoding->orientation == 1)
        return CNN_OK;
    CNNI_TRY(cnni_check_limit(decoding->context, CNN_LIMIT_DECODER_BYTES,
                              (int64_t)cnni_image_bytes(&stored), decoding->request->function,
                              "memory for turning the picture"));
    cnn_status status = cnni_decoding_make_image(decoding, swaps ? stored.w : stored.h,
                                                 swaps ? stored.h : stored.w);
    if (status == CNN_OK)
        cnni_orient(&decoding->image, &stored, decoding->orientation);
    cnni_free(decoding->context, stored.pixels);
    return status;
}

/* ---- For data/ ----------------------------------------------------------------------------- */

void cnni_image_free(cnn_context *context, struct cnni_image *image)
{
    cnni_free(context, image->pixels);
    *image = (struct cnni_image){0};
}

cnn_status cnni_image_decode(struct cnni_image *image, cnn_context *context,
                             const struct cnni_image_request *request, const void *bytes,
                             size_t size)
{
    struct cnni_decoding decoding = {
        .context = context, .request = request, .bytes = bytes, .size = size, .orientation = 1};
    cnn_status status = decode_as_stored(&decoding);
    if (status == CNN_OK)
        status = turn_upright(&decoding);
    if (status != CNN_OK)
        cnni_image_free(context, &decoding.image);
    *image = decoding.image;
    return status;
}

cnn_status cnni_image_read(struct cnni_image *image, cnn_context *context,
                           const struct cnni_image_request *request, const char *path)
{
    /* "cnn_image_load: "cat.jpg"" stands where decoding names the function. */
    char shown[CNNI_SHOW_SIZE], function[CNNI_SHOW_SIZE + 64];
    struct cnni_image_request named = *request;
    void *bytes;
    size_t size;
    *image = (struct cnni_image){0};
    snprintf(function, sizeof function, "%s: \"%s\"", request->function,
             cnni_show_bytes(shown, sizeof shown, path, strlen(path)));
    named.function = function;
    CNNI_TRY(cnni_file_read_below(&bytes, &size, context, path,
                                  request->root > 0 ? request->root : SIZE_MAX,
                                  CNN_LIMIT_IMAGE_BYTES, request->function));
    cnn_status status = cnni_image_decode(image, context, &named, bytes, size);
    cnni_free(context, bytes);
    return status;
}

/* ---- Public -------------------------------------------------------------------------------- */

static void release_pixels(void *context, void *pixels)
{
    cnni_free(context, pixels);
}

/* Hands the pixels over to a new tensor, or frees them. */
static cnn_status make_tensor(cnn_tensor **tensor, cnn_context *context, struct cnni_image *image)
{
    const int64_t shape[] = {image->h, image->w, image->c};
    cnn_status status = cnn_tensor_wrap(tensor, context, CNN_UINT8, shape, CNNI_COUNT(shape),
                                        image->pixels, release_pixels, context);
    if (status != CNN_OK)
        cnni_image_free(context, image);
    return status;
}

/* Checks what all three ways to a picture have in common. */
static cnn_status check_arguments(cnn_tensor **image, cnn_context *context, const void *source,
                                  const char *source_name, const struct cnni_image_request *request)
{
    if (image == NULL)
        return cnni_fail_null(context, request->function, "image");
    *image = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, request->function, "context");
    if (source == NULL)
        return cnni_fail_null(context, request->function, source_name);
    if (request->channels != 1 && request->channels != 3)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: channels is %lld, must be 3 or 1",
                         request->function, (long long)request->channels);
    return CNN_OK;
}

/* For those that are told the size to which a picture will be resized. */
static cnn_status check_size(cnn_tensor **image, cnn_context *context,
                             const struct cnni_image_request *request)
{
    if (image != NULL)
        *image = NULL;
    if (request->min_h < 1 || request->min_w < 1)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: height and width are %lld and %lld, must be at least 1",
                         request->function, (long long)request->min_h, (long long)request->min_w);
    return CNN_OK;
}

static void log_note(cnn_context *context, const char *note)
{
    if (note[0] != '\0')
        cnni_note(context, CNN_LOG_WARNING, "%s", note);
}

static cnn_status decode(cnn_tensor **image, cnn_context *context, const void *bytes, size_t size,
                         struct cnni_image_request *request)
{
    char note[CNNI_ERROR_SIZE] = "";
    struct cnni_image decoded;
    CNNI_TRY(check_arguments(image, context, bytes, "bytes", request));
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_IMAGE_BYTES, (int64_t)CNNI_MIN(size, INT64_MAX),
                              request->function, "size"));
    request->note = note;
    CNNI_TRY(cnni_image_decode(&decoded, context, request, bytes, size));
    log_note(context, note);
    return make_tensor(image, context, &decoded);
}

cnn_status cnn_image_decode(cnn_tensor **image, cnn_context *context, const void *bytes,
                            size_t size, int32_t channels)
{
    struct cnni_image_request request = {.function = __func__, .channels = channels};
    return decode(image, context, bytes, size, &request);
}

cnn_status cnn_image_decode_scaled(cnn_tensor **image, cnn_context *context, const void *bytes,
                                   size_t size, int32_t channels, int64_t height, int64_t width)
{
    struct cnni_image_request request = {
        .function = __func__, .channels = channels, .min_h = height, .min_w = width};
    CNNI_TRY(check_size(image, context, &request));
    return decode(image, context, bytes, size, &request);
}

static cnn_status load(cnn_tensor **image, cnn_context *context, const char *path,
                       struct cnni_image_request *request)
{
    char note[CNNI_ERROR_SIZE] = "";
    struct cnni_image decoded;
    CNNI_TRY(check_arguments(image, context, path, "path", request));
    request->note = note;
    CNNI_TRY(cnni_image_read(&decoded, context, request, path));
    log_note(context, note);
    return make_tensor(image, context, &decoded);
}

cnn_status cnn_image_load(cnn_tensor **image, cnn_context *context, const char *path,
                          int32_t channels)
{
    struct cnni_image_request request = {.function = __func__, .channels = channels};
    return load(image, context, path, &request);
}

cnn_status cnn_image_load_scaled(cnn_tensor **image, cnn_context *context, const char *path,
                                 int32_t channels, int64_t height, int64_t width)
{
    struct cnni_image_request request = {
        .function = __func__, .channels = channels, .min_h = height, .min_w = width};
    CNNI_TRY(check_size(image, context, &request));
    return load(image, context, path, &request);
}

static bool is_picture(const cnn_tensor *tensor)
{
    const struct cnni_shape *shape = &tensor->shape;
    return tensor->dtype == CNN_UINT8 && shape->rank == 3 &&
           (shape->dim[2] == 1 || shape->dim[2] == 3);
}

/* The tensor as a picture; nothing is written to one that is only read. */
static struct cnni_image view(const cnn_tensor *tensor)
{
    const int64_t *dim = tensor->shape.dim;
    return (struct cnni_image){tensor->data, dim[0], dim[1], dim[2]};
}

static cnn_status check_resize(const cnn_tensor *resized, const cnn_tensor *image,
                               const char *function)
{
    char target[CNNI_SHAPE_TEXT], source[CNNI_SHAPE_TEXT];
    if (resized == NULL)
        return cnni_fail_null(NULL, function, "resized");
    if (image == NULL)
        return cnni_fail_null(resized->context, function, "image");
    if (!is_picture(resized) || !is_picture(image) || resized->shape.dim[2] != image->shape.dim[2])
        return cnni_fail(
            resized->context, CNN_ERROR_SHAPE,
            "%s: resized is %s %s and image %s %s, must both be uint8 [h][w][c] with the "
            "same c, 3 or 1",
            function, cnn_dtype_name(resized->dtype), cnni_shape_text(target, &resized->shape),
            cnn_dtype_name(image->dtype), cnni_shape_text(source, &image->shape));
    if (resized->data == image->data)
        return cnni_fail(resized->context, CNN_ERROR_INVALID,
                         "%s: resized and image are the same memory, must be two", function);
    return CNN_OK;
}

cnn_status cnn_image_resize(cnn_tensor *resized, const cnn_tensor *image)
{
    struct cnni_float_state host;
    CNNI_TRY(check_resize(resized, image, __func__));
    const struct cnni_image target = view(resized), source = view(image);
    cnni_float_enter(&host);
    cnn_status status = cnni_image_resize(&target, resized->context, &source, NULL, __func__);
    cnni_float_leave(&host);
    return status;
}
