/* SPDX-License-Identifier: MIT
 * bench_layout [THREADS]: cnn_tensor_from_nchw() and cnn_tensor_to_nchw() on pictures and feature
 * maps, beside memcpy() of as many bytes: GB/s written, medians of what ran in turn. */
#include <cnn.h>

#include "bench/harness.h"

enum { REPEATS = 25 };

static const struct {
    const char *name;
    cnn_dtype dtype;
    int64_t n, c, h, w;
} rows[] = {
    {"pictures 3x224x224", CNN_FLOAT32, 8, 3, 224, 224},
    {"pictures 3x64x64", CNN_FLOAT32, 1, 3, 64, 64},
    {"maps 32x64x64", CNN_FLOAT32, 8, 32, 64, 64},
    {"maps 64x112x112", CNN_FLOAT32, 8, 64, 112, 112},
    {"maps 256x14x14", CNN_FLOAT32, 8, 256, 14, 14},
    {"maps 512x7x7", CNN_FLOAT32, 8, 512, 7, 7},
    {"pictures 3x224x224, bytes", CNN_UINT8, 8, 3, 224, 224},
};

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "bench_layout: %s\n", cnn_error_message());
    exit(EXIT_FAILURE);
}

/* By the clock on the wall: threads share the work. */
static double wall(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

enum way { COPY, FROM, TO, WAYS };

static void convert(enum way way, cnn_tensor *nhwc, cnn_tensor *nchw)
{
    if (way == COPY)
        memcpy(cnn_tensor_data(nhwc), cnn_tensor_const_data(nchw), cnn_tensor_bytes(nchw));
    else
        check(way == FROM ? cnn_tensor_from_nchw(nhwc, nchw) : cnn_tensor_to_nchw(nchw, nhwc));
}

/* Bytes per second for at least a millisecond. */
static double rate(enum way way, cnn_tensor *nhwc, cnn_tensor *nchw)
{
    const double start = wall();
    double done = 0, spent;
    do {
        convert(way, nhwc, nchw);
        done += (double)cnn_tensor_bytes(nchw);
        spent = wall() - start;
    } while (spent < 0.001);
    return done / spent;
}

static void bench_row(cnn_context *context, int row)
{
    const int64_t n = rows[row].n, c = rows[row].c, h = rows[row].h, w = rows[row].w;
    cnn_tensor *nhwc, *nchw;
    double rates[WAYS][REPEATS];
    check(cnn_tensor_create(&nhwc, context, rows[row].dtype, (int64_t[]){n, h, w, c}, 4));
    check(cnn_tensor_create(&nchw, context, rows[row].dtype, (int64_t[]){n, c, h, w}, 4));
    check(cnn_tensor_fill(nhwc, 1));
    check(cnn_tensor_fill(nchw, 1));
    for (int i = 0; i < REPEATS; i++)
        for (enum way way = COPY; way < WAYS; way++)
            rates[way][i] = rate(way, nhwc, nchw);
    printf("%-28s", rows[row].name);
    for (enum way way = COPY; way < WAYS; way++)
        printf(" %8.2f", bench_median(rates[way], REPEATS) / 1e9);
    printf("\n");
    cnn_tensor_free(nhwc);
    cnn_tensor_free(nchw);
}

int main(int argc, char **argv)
{
    cnn_context *context;
    check(cnn_context_create(&context));
    check(cnn_context_set_threads(context, argc > 1 ? atoi(argv[1]) : 1));
    printf("%-28s %8s %8s %8s   GB/s\n", "tensors", "copy", "to NHWC", "to NCHW");
    for (int i = 0; i < CNNI_COUNT(rows); i++)
        bench_row(context, i);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
