/* SPDX-License-Identifier: MIT
 * Every kernel of the list on data in the caches, none left out: Gelem/s (links of chains, or
 * elements), per cent of the FMA peak measured in turn with it, and how many times as fast as the
 * generic one.
 *
 *     bench_kernels [SLOT]
 *
 * One thread; pin it (taskset -c 1 bench_kernels). */
#include "bench/harness.h"
#include "bench/machine.h"
#include "kernels/kernels.h"

enum {
    COUNT = 4096, /* elements of arrays: 16 KB */
    PIXELS = 128,
    CHANNELS = 64,
    TAPS = 9,
    REPEATS = 25
};

static float *arrays[5];
static ptrdiff_t pixels[PIXELS], taps[TAPS];

/* A kernel being measured. */
struct row {
    const char *slot, *name;
    cnni_cpu level;
    struct cnni_tile tile;
    void (*function)(void);
};

static const struct row rows[] = {
#define LEVEL(level)  LEVEL_##level
#define LEVEL_generic CNNI_GENERIC
#define LEVEL_avx2    CNNI_AVX2
#define LEVEL_avx512  CNNI_AVX512
#define LEVEL_neon    CNNI_NEON
#define CNNI_KERNEL(slot, level, function)                                                         \
    {#slot, #function, LEVEL(level), {0, 0}, (void (*)(void))function},
#define CNNI_TILE_KERNEL(slot, level, function, rows, columns)                                     \
    {#slot, #function, LEVEL(level), {rows, columns}, (void (*)(void))function},
#include "kernels/kernel_list.h"
};

/* ---- One call of each slot; each returns the links or elements that it worked on ---- */

static double run_row_tap(const struct row *row)
{
    enum { DEPTH = 192 };
    struct cnni_conv2d_tap steps[3];
    for (int i = 0; i < CNNI_COUNT(steps); i++)
        steps[i] = (struct cnni_conv2d_tap){taps[i], i * DEPTH * row->tile.columns};
    const struct cnni_conv2d_tile tile = {.x = arrays[0],
                                          .x_offsets = pixels,
                                          .taps = steps,
                                          .tap_count = CNNI_COUNT(steps),
                                          .depth = DEPTH,
                                          .w = arrays[1],
                                          .bias = arrays[2],
                                          .y = arrays[3],
                                          .y_offsets = pixels,
                                          .rows = row->tile.rows,
                                          .columns = row->tile.columns,
                                          .relu = true};
    ((cnni_conv2d_row_tap_fn *)row->function)(&tile);
    return (double)CNNI_COUNT(steps) * DEPTH * row->tile.rows * row->tile.columns;
}

static double run_filter(const struct row *row)
{
    struct cnni_conv2d_filter_tile tile = {.x_offsets = pixels,
                                           .dy = arrays[1],
                                           .pixels = PIXELS,
                                           .dw = arrays[3],
                                           .dw_pitch = row->tile.columns,
                                           .rows = row->tile.rows,
                                           .columns = row->tile.columns,
                                           .ahead = (uintptr_t)arrays[4]};
    for (int32_t i = 0; i < row->tile.rows; i++)
        tile.x[i] = arrays[0] + i;
    ((cnni_conv2d_filter_fn *)row->function)(&tile);
    return (double)PIXELS * row->tile.rows * row->tile.columns;
}

static double run_panel(const struct row *row)
{
    ((cnni_conv2d_panel_fn *)row->function)(arrays[1], arrays[2], arrays[0], PIXELS, CHANNELS,
                                            row->tile.columns);
    return (double)PIXELS * row->tile.columns;
}

/* 32 pixels of 64 channels, 3x3 taps beside each other. */
enum { RUN = 32, RUN_ROW = (RUN + 2) * CHANNELS };

static double run_depthwise(const struct row *row)
{
    const struct cnni_conv2d_depthwise run = {.pixels = RUN,
                                              .channels = CHANNELS,
                                              .rows = 3,
                                              .columns = 3,
                                              .x = arrays[0],
                                              .x_step = CHANNELS,
                                              .x_tap_step = CHANNELS,
                                              .x_row_step = RUN_ROW,
                                              .w = arrays[1],
                                              .w_tap_step = CHANNELS,
                                              .w_row_step = 3 * CHANNELS,
                                              .bias = arrays[2],
                                              .y = arrays[3],
                                              .y_step = CHANNELS};
    ((cnni_conv2d_depthwise_fn *)row->function)(&run);
    return (double)RUN * CHANNELS * TAPS;
}

static double run_depthwise_filter(const struct row *row)
{
    const struct cnni_conv2d_depthwise_filter run = {.pixels = RUN,
                                                     .channels = CHANNELS,
                                                     .rows = 3,
                                                     .columns = 3,
                                                     .x = arrays[0],
                                                     .x_step = CHANNELS,
                                                     .x_tap_step = CHANNELS,
                                                     .x_row_step = RUN_ROW,
                                                     .dy = arrays[1],
                                                     .dw = arrays[3],
                                                     .dw_tap_step = CHANNELS,
                                                     .dw_row_step = 3 * CHANNELS,
                                                     .db = arrays[2]};
    ((cnni_conv2d_depthwise_filter_fn *)row->function)(&run);
    return (double)RUN * CHANNELS * TAPS;
}

/* ---- Winograd: one tile of 4 x 4 outputs; elements are those of its pixels or taps ---- */

enum { OUTPUTS = 4, INPUTS = OUTPUTS + 2, WINOGRAD_TAPS = 9 };

/* Neighbouring pixels of arrays[0], to read, and of arrays[3], to write. */
static const float *from[INPUTS * INPUTS];
static float *to[INPUTS * INPUTS];

static double run_winograd_input(const struct row *row)
{
    const struct cnni_winograd_input tile = {.x = from,
                                             .v = arrays[3],
                                             .point_pitch = CHANNELS,
                                             .channels = CHANNELS,
                                             .outputs = OUTPUTS};
    ((cnni_winograd_input_fn *)row->function)(&tile);
    return INPUTS * INPUTS * CHANNELS;
}

static double run_winograd_output(const struct row *row)
{
    const struct cnni_winograd_output tile = {.m = arrays[0],
                                              .y = to,
                                              .bias = arrays[1],
                                              .point_pitch = CHANNELS,
                                              .channels = CHANNELS,
                                              .outputs = OUTPUTS,
                                              .relu = true};
    ((cnni_winograd_output_fn *)row->function)(&tile);
    return OUTPUTS * OUTPUTS * CHANNELS;
}

static double run_winograd_gradient(const struct row *row)
{
    const struct cnni_winograd_gradient tile = {.dy = from,
                                                .z = arrays[3],
                                                .point_pitch = CHANNELS,
                                                .panel_pitch = CHANNELS,
                                                .width = CHANNELS,
                                                .channels = CHANNELS,
                                                .outputs = OUTPUTS};
    ((cnni_winograd_gradient_fn *)row->function)(&tile);
    return OUTPUTS * OUTPUTS * CHANNELS;
}

static double run_winograd_weights(const struct row *row)
{
    const struct cnni_winograd_weights tile = {.w = from,
                                               .u = arrays[3],
                                               .point_pitch = CHANNELS,
                                               .channels = CHANNELS,
                                               .outputs = OUTPUTS};
    ((cnni_winograd_weights_fn *)row->function)(&tile);
    return WINOGRAD_TAPS * CHANNELS;
}

static double run_winograd_filter(const struct row *row)
{
    const struct cnni_winograd_filter tile = {.u = arrays[0],
                                              .dw = to,
                                              .point_pitch = CHANNELS,
                                              .channels = CHANNELS,
                                              .outputs = OUTPUTS};
    ((cnni_winograd_filter_fn *)row->function)(&tile);
    return WINOGRAD_TAPS * CHANNELS;
}

/* ---- Pooling, vectors, optimizers ---- */

/* 32 windows of 2 x 2 pixels of 32 channels. */
static const struct cnni_maxpool2d_windows windows = {.windows = 32,
                                                      .channels = 32,
                                                      .rows = 2,
                                                      .columns = 2,
                                                      .x_step = 64,
                                                      .row_pitch = 2048,
                                                      .number_pitch = 2,
                                                      .winner_size = 1};

static double run_maxpool_forward(const struct row *row)
{
    ((cnni_maxpool2d_forward_fn *)row->function)(&windows, arrays[1], arrays[2], arrays[0]);
    return 4096;
}

static double run_maxpool_backward(const struct row *row)
{
    ((cnni_maxpool2d_backward_fn *)row->function)(&windows, arrays[0], arrays[1], arrays[2], true);
    return 4096;
}

static const struct cnni_activation silu = {.kind = CNN_SILU};

static double run_activation(const struct row *row)
{
    ((cnni_activation_forward_fn *)row->function)(&silu, COUNT, arrays[1], arrays[0]);
    return COUNT;
}

static double run_activation_backward(const struct row *row)
{
    ((cnni_activation_backward_fn *)row->function)(&silu, COUNT, arrays[2], arrays[1], arrays[0]);
    return COUNT;
}

static double run_add(const struct row *row)
{
    ((cnni_vector_add_fn *)row->function)(COUNT, arrays[2], arrays[1], arrays[0]);
    return COUNT;
}

static double run_average(const struct row *row)
{
    ((cnni_vector_average_fn *)row->function)(COUNT, arrays[2], arrays[0], 0.001f);
    return COUNT;
}

static double run_sum_squares(const struct row *row)
{
    volatile double sum = ((cnni_vector_sum_squares_fn *)row->function)(COUNT, arrays[0]);
    (void)sum;
    return COUNT;
}

static double run_dense_row(const struct row *row)
{
    const struct cnni_dense_row dense = {.x = arrays[0],
                                         .w = arrays[0],
                                         .w_pitch = 256,
                                         .y = arrays[1],
                                         .channels = COUNT / 256,
                                         .columns = 256};
    ((cnni_dense_row_fn *)row->function)(&dense);
    return COUNT / 256 * 256;
}

static double run_transpose(const struct row *row)
{
    const struct cnni_transpose matrix = {
        .rows = 64, .columns = 64, .x_pitch = 64, .y_pitch = 64, .size = sizeof(float)};
    ((cnni_transpose_fn *)row->function)(&matrix, arrays[1], arrays[0]);
    return 4096;
}

static double run_softmax_exp(const struct row *row)
{
    float max, sum;
    ((cnni_softmax_exp_fn *)row->function)(COUNT, arrays[1], &max, &sum, arrays[0]);
    return COUNT;
}

static double run_softmax_backward(const struct row *row)
{
    ((cnni_softmax_backward_fn *)row->function)(COUNT, arrays[2], arrays[1], arrays[0]);
    return COUNT;
}

static double run_sgd(const struct row *row)
{
    const struct cnni_sgd_step step = {
        .learning_rate = 1e-6f, .momentum = 0.9f, .weight_decay = 0.1f, .gradient_scale = 1};
    ((cnni_optimizer_sgd_fn *)row->function)(&step, COUNT, arrays[0], arrays[1], arrays[2]);
    return COUNT;
}

static double run_adam(const struct row *row)
{
    const struct cnni_adam_step step = {.step_size = 1e-6f,
                                        .root_correction = 1,
                                        .epsilon = 1e-3f,
                                        .beta1 = 0.9f,
                                        .rest1 = 0.1f,
                                        .beta2 = 0.999f,
                                        .rest2 = 0.001f,
                                        .weight_decay = 0.1f,
                                        .shrink = 1,
                                        .gradient_scale = 1};
    ((cnni_optimizer_adam_fn *)row->function)(&step, COUNT, arrays[0], arrays[1], arrays[2],
                                              arrays[3]);
    return COUNT;
}

static const struct {
    const char *slot;
    double (*run)(const struct row *row);
    bool links; /* multiply-adds: 2 operations each, to be compared with the peak */
} slots[] = {
    {"conv2d_row_tap", run_row_tap, true},
    {"conv2d_filter", run_filter, true},
    {"conv2d_panel", run_panel, false},
    {"conv2d_depthwise", run_depthwise, true},
    {"conv2d_depthwise_filter", run_depthwise_filter, true},
    {"dense_row", run_dense_row, true},
    {"winograd_input", run_winograd_input, false},
    {"winograd_output", run_winograd_output, false},
    {"winograd_gradient", run_winograd_gradient, false},
    {"winograd_weights", run_winograd_weights, false},
    {"winograd_filter", run_winograd_filter, false},

    {"maxpool2d_forward", run_maxpool_forward, false},
    {"maxpool2d_backward", run_maxpool_backward, false},
    {"activation_forward", run_activation, false},
    {"activation_backward", run_activation_backward, false},
    {"vector_add", run_add, false},
    {"vector_average", run_average, false},
    {"vector_sum_squares", run_sum_squares, false},
    {"transpose", run_transpose, false},
    {"softmax_exp", run_softmax_exp, false},
    {"softmax_backward", run_softmax_backward, false},
    {"optimizer_sgd", run_sgd, false},
    {"optimizer_adam", run_adam, false},
};

/* ---- Measuring ---- */

static void fill_arrays(void)
{
    for (int i = 0; i < CNNI_COUNT(arrays); i++) {
        free(arrays[i]);
        arrays[i] = bench_floats(64 * 1024);
        for (int j = 0; i > 0 && j < 64 * 1024; j++) /* squares and winners must not be negative */
            arrays[i][j] = arrays[i][j] < 0 ? -arrays[i][j] : arrays[i][j];
    }
    for (int64_t i = 0; i < INPUTS * INPUTS; i++) {
        from[i] = arrays[0] + i * CHANNELS;
        to[i] = arrays[3] + i * CHANNELS;
    }
    for (int64_t i = 0; i < PIXELS; i++)
        pixels[i] = i * CHANNELS;
    for (int64_t i = 0; i < TAPS; i++)
        taps[i] = i * CHANNELS;
}

/* The median rate in elements per second, and the median share of the peak. */
static double measure(const struct row *row, double (*run)(const struct row *), double *share)
{
    double rates[REPEATS], shares[REPEATS];
    fill_arrays();
    run(row);
    for (int i = 0; i < REPEATS; i++) {
        const double peak = bench_peak(row->level), start = bench_seconds();
        double done = 0, spent;
        do {
            for (int j = 0; j < 20; j++)
                done += run(row);
            spent = bench_seconds() - start;
        } while (spent < 0.001);
        rates[i] = done / spent;
        shares[i] = peak == 0 ? 0 : 2 * rates[i] / 1e9 / peak;
    }
    *share = bench_median(shares, REPEATS);
    return bench_median(rates, REPEATS);
}

static void bench_slot(const char *slot, double (*run)(const struct row *), bool links)
{
    double generic = 0;
    for (int i = 0; i < CNNI_COUNT(rows); i++) {
        if (strcmp(rows[i].slot, slot) != 0)
            continue;
        if (!cnni_cpu_has(rows[i].level)) {
            printf("%-40s not on this machine\n", rows[i].name);
            continue;
        }
        double share;
        const double rate = measure(&rows[i], run, &share);
        generic = rows[i].level == CNNI_GENERIC ? rate : generic;
        printf("%-40s %8.2f", rows[i].name, rate / 1e9);
        if (links && share > 0)
            printf(" %7.1f", 100 * share);
        else
            printf(" %7s", "");
        printf(" %8.1f\n", rate / generic);
    }
}

/* A kernel that nobody measures would be forgotten. */
static void check_slots(void)
{
    for (int i = 0; i < CNNI_COUNT(rows); i++) {
        int j = 0;
        while (j < CNNI_COUNT(slots) && strcmp(slots[j].slot, rows[i].slot) != 0)
            j++;
        if (j == CNNI_COUNT(slots)) {
            fprintf(stderr, "bench_kernels: how to run %s is not known\n", rows[i].slot);
            exit(EXIT_FAILURE);
        }
    }
}

int main(int argc, char **argv)
{
    check_slots();
    print_machine();
    printf("%-40s %8s %7s %8s\n", "kernel", "Gelem/s", "% peak", "x generic");
    for (int i = 0; i < CNNI_COUNT(slots); i++)
        if (argc < 2 || strcmp(argv[1], slots[i].slot) == 0)
            bench_slot(slots[i].slot, slots[i].run, slots[i].links);
    for (int i = 0; i < CNNI_COUNT(arrays); i++)
        free(arrays[i]);
    return EXIT_SUCCESS;
}
