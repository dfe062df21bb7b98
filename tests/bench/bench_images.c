/* SPDX-License-Identifier: MIT
 * bench_images FOLDER [PASSES]: pictures per second of decoding every file of a folder and
 * resizing it to 128x128, on one core, with the files in memory: scaled decoding, as loaders use
 * it, and full decoding.  Medians over the passes.  bench_images_pillow.py measures Pillow in
 * the same way, also in processor time, which other programs disturb least; run the two in turn,
 * pinned to one core:
 *
 *     taskset -c 1 bench_images FOLDER; taskset -c 1 python3 bench_images_pillow.py FOLDER; ... */
#include <cnn.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE = 128, MOST_PASSES = 99 };

struct file {
    void *bytes;
    size_t size;
};

struct folder {
    struct file *files;
    size_t count;
};

/* Seconds of processor time. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_images: %s: %s\n", what, cnn_error_message());
    exit(EXIT_FAILURE);
}

/* Reads a file whole; an empty one where it cannot be read. */
static struct file read_file(const char *path)
{
    struct file file = {malloc(1), 0};
    FILE *stream = fopen(path, "rb");
    long size = 0;
    if (stream == NULL)
        return file;
    if (fseek(stream, 0, SEEK_END) == 0 && (size = ftell(stream)) > 0) {
        rewind(stream);
        file.bytes = realloc(file.bytes, (size_t)size);
        file.size = fread(file.bytes, 1, (size_t)size, stream);
    }
    fclose(stream);
    return file;
}

static struct folder read_folder(const char *path)
{
    struct folder folder = {NULL, 0};
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        die(path);
    folder.files = calloc((size_t)count + 1, sizeof *folder.files);
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            folder.files[folder.count++] = read_file(name);
        free(names[i]);
    }
    free(names);
    return folder;
}

/* Decodes and resizes all files once; the seconds that it took. */
static double run_pass(cnn_context *context, const struct folder *folder, cnn_tensor *resized,
                       int scaled)
{
    double start = seconds();
    for (size_t i = 0; i < folder->count; i++) {
        const struct file *file = &folder->files[i];
        cnn_tensor *image;
        if ((scaled
                 ? cnn_image_decode_scaled(&image, context, file->bytes, file->size, 3, SIZE, SIZE)
                 : cnn_image_decode(&image, context, file->bytes, file->size, 3)) != CNN_OK ||
            cnn_image_resize(resized, image) != CNN_OK)
            die("a file");
        cnn_tensor_free(image);
    }
    return seconds() - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(cnn_context *context, const struct folder *folder, cnn_tensor *resized,
                    int passes, int scaled)
{
    double times[MOST_PASSES];
    for (int i = 0; i < passes; i++)
        times[i] = run_pass(context, folder, resized, scaled);
    qsort(times, (size_t)passes, sizeof *times, compare);
    printf("libcnn %s decode: %.1f pictures/s (median of %d passes over %zu files; best %.1f)\n",
           scaled ? "scaled" : "full", (double)folder->count / times[passes / 2], passes,
           folder->count, (double)folder->count / times[0]);
}

int main(int count, char **arguments)
{
    const int64_t shape[] = {SIZE, SIZE, 3};
    cnn_context *context = NULL;
    cnn_tensor *resized = NULL;
    int passes = count > 2 ? atoi(arguments[2]) : 5;
    if (count < 2 || passes < 1 || passes > MOST_PASSES) {
        fprintf(stderr, "usage: bench_images FOLDER [PASSES]\n");
        return EXIT_FAILURE;
    }
    struct folder folder = read_folder(arguments[1]);
    if (cnn_context_create(&context) != CNN_OK ||
        cnn_tensor_create(&resized, context, CNN_UINT8, shape, 3) != CNN_OK)
        die("start");
    measure(context, &folder, resized, passes, 1);
    measure(context, &folder, resized, passes, 0);
    for (size_t i = 0; i < folder.count; i++)
        free(folder.files[i].bytes);
    free(folder.files);
    cnn_tensor_free(resized);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
