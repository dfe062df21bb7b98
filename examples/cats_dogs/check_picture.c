/* SPDX-License-Identifier: MIT
 * Reading a file once: its digest, whether it decodes, and a small gray version of it. */
#include "check_picture.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The lens ------------------------------------------------------------------------------ */

/* A lens is used on one thread, and there are many of them. */
static cnn_status create_context(cnn_context **context, int32_t lenient)
{
    cnn_status status = cnn_context_create(context);

    if (status == CNN_OK)
        status = cnn_context_set_threads(*context, 1);
    if (status == CNN_OK)
        status = cnn_context_set_lenient(*context, lenient);
    return status;
}

bool lens_create(struct lens *lens, int64_t side)
{
    const int64_t shape[] = {SMALL_SIDE, SMALL_SIDE, 3};

    *lens = (struct lens){.side = side > SMALL_SIDE ? side : SMALL_SIDE};
    return console_succeeded(create_context(&lens->strict, 0)) &&
           console_succeeded(create_context(&lens->lenient, 1)) &&
           console_succeeded(cnn_tensor_create(&lens->small, lens->strict, CNN_UINT8, shape, 3));
}

void lens_free(struct lens *lens)
{
    cnn_tensor_free(lens->small);
    cnn_context_free(lens->lenient);
    cnn_context_free(lens->strict);
}

/* ---- The file ------------------------------------------------------------------------------ */

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name);

    return length >= strlen(ending) && strcasecmp(name + length - strlen(ending), ending) == 0;
}

bool is_png_name(const char *name)
{
    return ends_in(name, ".png");
}

bool is_picture_name(const char *name)
{
    return ends_in(name, ".jpg") || ends_in(name, ".jpeg") || is_png_name(name);
}

const char *picture_format(const unsigned char *bytes, size_t size)
{
    static const struct {
        size_t place, length;
        const char *bytes, *name;
    } formats[] = {
        {0, 3, "\xFF\xD8\xFF", "JPEG"},
        {0, 8, "\x89PNG\r\n\x1A\n", "PNG"},
        {8, 4, "WEBP", "WebP"},
        {0, 4, "GIF8", "GIF"},
        {0, 4, "II*\0", "TIFF"},
        {0, 4, "MM\0*", "TIFF"},
        {4, 8, "ftypavif", "AVIF"},
        {4, 7, "ftyphei", "HEIC"},
        {0, 2, "BM", "BMP"},
    };

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (size >= formats[i].place + formats[i].length &&
            memcmp(bytes + formats[i].place, formats[i].bytes, formats[i].length) == 0)
            return formats[i].name;
    }
    return "";
}

/* FNV-1a: with the size, two of 100,000 different files are taken for the same once in 3 thousand
 * million data sets. */
static uint64_t digest_of(const unsigned char *bytes, size_t size)
{
    uint64_t digest = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * UINT64_C(0x100000001B3);
    return digest;
}

/* Opens the file and learns its size.  Returns NULL, or why it cannot be read; in any case `file`
 * is to be closed unless it is negative. */
static const char *open_file(int *file, int64_t *size, const char *path, int64_t largest)
{
    struct stat status;

    *file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*file < 0 || fstat(*file, &status) < 0)
        return strerror(errno);
    *size = status.st_size;
    if (!S_ISREG(status.st_mode))
        return "is no regular file";
    return *size > largest ? "has more bytes than a picture may have" : NULL;
}

static const char *read_all(int file, unsigned char *bytes, int64_t size)
{
    for (int64_t done = 0; done < size;) {
        const ssize_t count = read(file, bytes + done, (size_t)(size - done));
        if (count <= 0)
            return count < 0 ? strerror(errno) : "has become shorter while it was read";
        done += count;
    }
    return NULL;
}

/* Reads the bytes of the file, for the caller to free; NULL without memory.  Returns NULL, or why
 * they cannot be read. */
static const char *read_file(unsigned char **bytes, int64_t *size, const char *path,
                             int64_t largest)
{
    int file;
    const char *problem = open_file(&file, size, path, largest);

    *bytes = problem == NULL ? malloc((size_t)*size + 1) : NULL;
    if (*bytes != NULL)
        problem = read_all(file, *bytes, *size);
    if (file >= 0)
        close(file);
    return problem;
}

/* ---- The pixels ---------------------------------------------------------------------------- */

/* The standard deviation of every third value. */
static double deviation(const uint8_t *values, int64_t count)
{
    double sum = 0;
    double squares = 0;

    for (int64_t i = 0; i < count; i++) {
        sum += values[3 * i];
        squares += (double)values[3 * i] * values[3 * i];
    }
    return sqrt(fmax(squares / (double)count - sum / (double)count * (sum / (double)count), 0));
}

static void make_gray(struct picture *picture, const uint8_t *colors)
{
    for (int i = 0; i < SMALL_PIXELS; i++) {
        const uint8_t *color = colors + 3 * i;
        /* Of BT.601, in 256ths. */
        const int gray = (77 * color[0] + 150 * color[1] + 29 * color[2] + 128) >> 8;
        picture->small[i] = (uint8_t)gray;
        picture->sum += gray;
        picture->squares += (int64_t)gray * gray;
    }
    for (int i = 0; i < 3; i++)
        picture->contrast = fmax(picture->contrast, deviation(colors + i, SMALL_PIXELS));
}

static cnn_status take_pixels(struct picture *picture, const struct lens *lens,
                              const cnn_tensor *image)
{
    const cnn_status status = cnn_image_resize(lens->small, image);

    if (status != CNN_OK)
        return status;
    picture->height = cnn_tensor_dim(image, 0);
    picture->width = cnn_tensor_dim(image, 1);
    make_gray(picture, cnn_tensor_const_data(lens->small));
    picture->state = FINE;
    return CNN_OK;
}

/* Whether a picture that could not be decoded can be if damage is passed over. */
static bool is_partly_there(const struct lens *lens, const unsigned char *bytes, int64_t size)
{
    cnn_tensor *image = NULL;
    const cnn_status status = cnn_image_decode_scaled(&image, lens->lenient, bytes, (size_t)size, 3,
                                                      lens->side, lens->side);

    cnn_tensor_free(image);
    return status == CNN_OK;
}

/* Keeps why a picture is not fine. */
static bool set_problem(struct picture *picture, enum picture_state state, const char *problem)
{
    picture->state = state;
    picture->problem = strdup(problem);
    return picture->problem != NULL;
}

static bool look_at_bytes(struct picture *picture, struct lens *lens, const unsigned char *bytes)
{
    cnn_tensor *image = NULL;
    cnn_status status = cnn_image_decode_scaled(&image, lens->strict, bytes, (size_t)picture->size,
                                                3, lens->side, lens->side);

    if (status == CNN_OK)
        status = take_pixels(picture, lens, image);
    cnn_tensor_free(image);
    if (status == CNN_OK || status == CNN_ERROR_MEMORY)
        return status == CNN_OK;
    if (!set_problem(picture, UNREADABLE, console_library_reason()))
        return false;
    if (is_partly_there(lens, bytes, picture->size))
        picture->state = DAMAGED;
    return true;
}

bool picture_look(struct picture *picture, struct lens *lens, const char *path)
{
    const int64_t largest = cnn_context_limit(lens->strict, CNN_LIMIT_IMAGE_BYTES);
    unsigned char *bytes;
    const char *problem = read_file(&bytes, &picture->size, path, largest);
    bool done = bytes != NULL;

    picture->format = "";
    if (problem != NULL)
        done = set_problem(picture, UNREADABLE, problem);
    else if (done) {
        picture->digest = digest_of(bytes, (size_t)picture->size);
        picture->format = picture_format(bytes, (size_t)picture->size);
        done = look_at_bytes(picture, lens, bytes);
    }
    free(bytes);
    return done;
}
