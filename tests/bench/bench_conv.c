/* SPDX-License-Identifier: MIT
 * Convolution layers, forward, backward-data and backward-weights: GFLOP/s, and per cent of the
 * FMA peak measured in turn with them.
 *
 *     bench_conv [BATCH [SECONDS [LAYER]]]
 *
 * One thread; pin it (taskset -c 1 bench_conv).  CNN_CPU chooses the level. */
#include <math.h>

#include "bench/layers.h"
#include "bench/machine.h"

enum { MOST = 1000 };

/* Prints one cell: the median time in ms, GFLOP/s, per cent of the peak. */
static void measure(void (*run)(const struct bench_conv *), const struct bench_conv *conv,
                    double flops, double seconds)
{
    static double times[MOST], shares[MOST];
    const cnni_cpu cpu = conv->call.context->cpu;
    int count = 0;
    run(conv);
    for (double spent = 0; (spent < seconds || count < 5) && count < MOST; count++) {
        const double before = bench_peak(cpu);
        const double start = bench_seconds();
        run(conv);
        times[count] = bench_seconds() - start;
        const double peak = (before + bench_peak(cpu)) / 2;
        spent += times[count];
        shares[count] = peak == 0 ? 0 : 100 * flops / times[count] / 1e9 / peak;
    }
    const double median = bench_median(times, count);
    printf(" | %8.3f %6.1f %5.1f", 1e3 * median, flops / median / 1e9, bench_median(shares, count));
    fflush(stdout);
}

static void measure_layer(cnn_context *context, const char *name, const struct cnni_conv2d *layer,
                          int64_t n, double seconds)
{
    struct bench_conv conv;
    const double flops = bench_flops(layer, n);
    bench_conv_create(&conv, context, layer, n);
    printf("%-26s", name);
    measure(bench_forward, &conv, flops, seconds);
    measure(bench_backward_data, &conv, flops, seconds);
    measure(bench_backward_filter, &conv, flops, seconds);
    measure(bench_pack, &conv, 0, seconds / 5);
    printf("\n");
    bench_conv_free(&conv);
}

/* Directly, and by each size of Winograd tiles that the layer may be given. */
static void measure_algorithms(cnn_context *context, const struct bench_layer *layer, int64_t n,
                               double seconds)
{
    for (int32_t tile = 0; tile <= 4; tile += 2) {
        struct cnni_conv2d conv = layer->conv;
        char text[64];
        cnni_conv2d_choose(&conv, tile, n);
        if (conv.tile != tile)
            continue;
        snprintf(text, sizeof text, tile > 0 ? "%s F(%d)" : "%s", layer->name, (int)tile);
        measure_layer(context, text, &conv, n, seconds);
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
    print_machine();
    printf("level %s, batch %d; each: median ms, GFLOP/s, %% of the FMA peak\n",
           cnn_context_cpu_name(context), (int)n);
    printf("%-26s | forward               | backward-data         | backward-weights      "
           "| packing\n",
           "");
    for (int i = 0; i < CNNI_COUNT(bench_layers); i++)
        if (argc < 4 || strstr(bench_layers[i].name, argv[3]) != NULL)
            measure_algorithms(context, &bench_layers[i], n, seconds);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
