/* SPDX-License-Identifier: MIT
 * Convolution layers, forward, backward-data and backward-weights: GFLOP/s, and per cent of the
 * FMA peak measured in turn with them.
 *
 *     bench_conv [BATCH [SECONDS [LAYER]]]
 *
 * One thread; pin it (taskset -c 1 bench_conv).  CNN_CPU chooses the level. */
#include <math.h>

#include "base/base.h"
#include "base/context_internal.h"
#include "bench/harness.h"
#include "ops/op_conv2d.h"

static const struct {
    const char *name;
    struct cnni_conv2d conv;
} layers[] = {
    {"3->32 3x3 @128", {128, 128, 3, 32, 3, 3, 128, 128, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"32->32 3x3 @64", {64, 64, 32, 32, 3, 3, 64, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"32->64 3x3 @64", {64, 64, 32, 64, 3, 3, 64, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"64->64 3x3 @32", {32, 32, 64, 64, 3, 3, 32, 32, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"64->128 3x3 @32", {32, 32, 64, 128, 3, 3, 32, 32, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"128->128 3x3 @16", {16, 16, 128, 128, 3, 3, 16, 16, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"3->64 7x7 s2 @224", {224, 224, 3, 64, 7, 7, 112, 112, 2, 2, 3, 3, 1, 1, 1, 0, 0}},
    {"64->64 1x1 @56", {56, 56, 64, 64, 1, 1, 56, 56, 1, 1, 0, 0, 1, 1, 1, 0, 0}},
    {"64->64 3x3 @56", {56, 56, 64, 64, 3, 3, 56, 56, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"64->256 1x1 @56", {56, 56, 64, 256, 1, 1, 56, 56, 1, 1, 0, 0, 1, 1, 1, 0, 0}},
    {"128->128 3x3 @28", {28, 28, 128, 128, 3, 3, 28, 28, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"256->256 3x3 @14", {14, 14, 256, 256, 3, 3, 14, 14, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"512->512 3x3 @7", {7, 7, 512, 512, 3, 3, 7, 7, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
    {"1024->2048 1x1 s2 @14", {14, 14, 1024, 2048, 1, 1, 7, 7, 2, 2, 0, 0, 1, 1, 1, 0, 0}},
    {"256->1024 1x1 @14", {14, 14, 256, 1024, 1, 1, 14, 14, 1, 1, 0, 0, 1, 1, 1, 0, 0}},
    {"depthwise 64 @112", {112, 112, 64, 64, 3, 3, 112, 112, 1, 1, 1, 1, 1, 1, 64, 0, 0}},
    {"depthwise 64 s2 @112", {112, 112, 64, 64, 3, 3, 56, 56, 2, 2, 1, 1, 1, 1, 64, 0, 0}},
    {"depthwise 256 @28", {28, 28, 256, 256, 3, 3, 28, 28, 1, 1, 1, 1, 1, 1, 256, 0, 0}},
    {"depthwise 256 s2 @28", {28, 28, 256, 256, 3, 3, 14, 14, 2, 2, 1, 1, 1, 1, 256, 0, 0}},
    {"depthwise 512 @14", {14, 14, 512, 512, 3, 3, 14, 14, 1, 1, 1, 1, 1, 1, 512, 0, 0}},
    {"depthwise 512 s2 @14", {14, 14, 512, 512, 3, 3, 7, 7, 2, 2, 1, 1, 1, 1, 512, 0, 0}},
    {"dense 8192->512", {1, 1, 8192, 512, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0}},
    {"dense 6272->128", {1, 1, 6272, 128, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0}},
};

struct arrays {
    float *x, *y, *w, *b, *dx, *dy, *dw, *db, *forward, *backward;
};

static void run_forward(const struct cnni_conv2d_call *call, const struct arrays *a)
{
    cnni_conv2d_forward(call, a->y, a->x, a->forward, a->b, true);
}

static void run_backward_data(const struct cnni_conv2d_call *call, const struct arrays *a)
{
    cnni_conv2d_backward_data(call, a->dx, a->dy, a->backward);
}

static void run_backward_filter(const struct cnni_conv2d_call *call, const struct arrays *a)
{
    cnni_conv2d_backward_filter(call, a->dw, a->db, a->x, a->dy);
}

static void run_pack(const struct cnni_conv2d_call *call, const struct arrays *a)
{
    cnni_conv2d_pack_forward(call->context, 1, call->conv, a->forward, a->w);
    cnni_conv2d_pack_backward(call->context, 1, call->conv, a->backward, a->w);
}

enum { MOST = 1000 };

/* Prints one cell: the median time in ms, GFLOP/s, per cent of the peak. */
static void measure(void (*run)(const struct cnni_conv2d_call *, const struct arrays *),
                    const struct cnni_conv2d_call *call, const struct arrays *arrays, double flops,
                    double seconds)
{
    static double times[MOST], shares[MOST];
    int count = 0;
    run(call, arrays);
    for (double spent = 0; (spent < seconds || count < 5) && count < MOST; count++) {
        const double before = bench_peak(call->context->cpu);
        const double start = bench_seconds();
        run(call, arrays);
        times[count] = bench_seconds() - start;
        const double peak = (before + bench_peak(call->context->cpu)) / 2;
        spent += times[count];
        shares[count] = peak == 0 ? 0 : 100 * flops / times[count] / 1e9 / peak;
    }
    const double median = bench_median(times, count);
    printf(" | %8.3f %6.1f %5.1f", 1e3 * median, flops / median / 1e9, bench_median(shares, count));
    fflush(stdout);
}

static void bench_layer(cnn_context *context, const char *name, const struct cnni_conv2d *conv,
                        int64_t n, double seconds)
{
    struct cnni_conv2d_sizes sizes;
    if (cnni_conv2d_measure(&sizes, context, conv, n, 1, true, "bench_conv") != CNN_OK)
        return;
    const size_t x = (size_t)(n * conv->h * conv->w * conv->c);
    const size_t y = (size_t)(n * conv->oh * conv->ow * conv->k);
    const size_t w = (size_t)(conv->r * conv->s * conv->c / conv->groups * conv->k);
    const size_t k = (size_t)conv->k;
    struct arrays arrays = {
        bench_floats(x),
        bench_floats(y),
        bench_floats(w),
        bench_floats(k),
        bench_floats(x),
        bench_floats(y),
        bench_floats(w),
        bench_floats(k),
        bench_floats(sizes.forward_weights),
        bench_floats(sizes.backward_weights),
    };
    const size_t scratch =
        CNNI_MAX(sizes.forward, CNNI_MAX(sizes.backward_data, sizes.backward_filter));
    struct cnni_conv2d_call call = {context, conv, n, 1, bench_floats(scratch)};
    const double flops = 2.0 * (double)y * (double)w / (double)k;
    printf("%-26s", name);
    run_pack(&call, &arrays);
    measure(run_forward, &call, &arrays, flops, seconds);
    measure(run_backward_data, &call, &arrays, flops, seconds);
    measure(run_backward_filter, &call, &arrays, flops, seconds);
    measure(run_pack, &call, &arrays, 0, seconds / 5);
    printf("\n");
    float *all[] = {arrays.x,  arrays.y,  arrays.w,       arrays.b,        arrays.dx,   arrays.dy,
                    arrays.dw, arrays.db, arrays.forward, arrays.backward, call.scratch};
    for (int i = 0; i < CNNI_COUNT(all); i++)
        free(all[i]);
}

/* Directly, and by each size of Winograd tiles that the layer may be given. */
static void bench_algorithms(cnn_context *context, const char *name,
                             const struct cnni_conv2d *layer, int64_t n, double seconds)
{
    for (int32_t tile = 0; tile <= 4; tile += 2) {
        struct cnni_conv2d conv = *layer;
        char text[64];
        cnni_conv2d_choose(&conv, tile, n);
        if (conv.tile != tile)
            continue;
        snprintf(text, sizeof text, tile > 0 ? "%s F(%d)" : "%s", name, (int)tile);
        bench_layer(context, text, &conv, n, seconds);
    }
}

int main(int argc, char **argv)
{
    const int64_t n = argc > 1 ? atoi(argv[1]) : 32;
    const double seconds = argc > 2 ? atof(argv[2]) : 1;
    cnn_context *context;
    if (n < 1 || cnn_context_create(&context) != CNN_OK)
        return EXIT_FAILURE;
    cnn_context_set_threads(context, 1);
    printf("level %s, batch %d; each: median ms, GFLOP/s, %% of the FMA peak\n",
           cnn_context_cpu_name(context), (int)n);
    printf(
        "%-26s | forward               | backward-data         | backward-weights      | packing\n",
        "");
    for (int i = 0; i < CNNI_COUNT(layers); i++)
        if (argc < 4 || strstr(layers[i].name, argv[3]) != NULL)
            bench_algorithms(context, layers[i].name, &layers[i].conv, n, seconds);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
