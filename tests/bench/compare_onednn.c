/* SPDX-License-Identifier: MIT
 * Convolution layers of libcnn and oneDNN (C interface of version 2) in turn, on one thread:
 *
 *     OMP_NUM_THREADS=1 taskset -c 1 compare_onednn [BATCH [SECONDS [LAYER]]]
 *
 * oneDNN chooses its memory formats; its weights are ordered beforehand.  Cap both libraries to the
 * same level with CNN_CPU=avx2 ONEDNN_MAX_CPU_ISA=AVX2, or avx512 and AVX512_CORE.  Each cell is
 * libcnn / oneDNN in GFLOP/s, counted as direct sums, and the quotient; first both directly, then
 * libcnn as by default against oneDNN's best algorithm. */
#include <dnnl.h>
#include <math.h>

#include "bench/layers.h"
#include "bench/machine.h"

static void check(dnnl_status_t status)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "compare_onednn: oneDNN says %d\n", (int)status);
    exit(EXIT_FAILURE);
}

/* ---- One direction of a layer in oneDNN ---- */

enum direction { FORWARD, BACKWARD_DATA, BACKWARD_FILTER, DIRECTIONS };
enum { MOST_ARGUMENTS = 4 };

struct peer {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MOST_ARGUMENTS];
    int count;
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;

struct descriptions {
    dnnl_memory_desc_t x, w, b, y;
    dnnl_dims_t strides, before, after;
};

static void describe(struct descriptions *of, const struct cnni_conv2d *conv, int64_t n)
{
    const dnnl_dims_t x = {n, conv->c, conv->h, conv->w}, y = {n, conv->k, conv->oh, conv->ow};
    const dnnl_dims_t b = {conv->k}, w = {conv->k, conv->c, conv->r, conv->s};
    const int64_t g = conv->groups;
    const dnnl_dims_t grouped = {g, conv->k / g, conv->c / g, conv->r, conv->s};
    check(dnnl_memory_desc_init_by_tag(&of->x, 4, x, dnnl_f32, dnnl_format_tag_any));
    check(dnnl_memory_desc_init_by_tag(&of->y, 4, y, dnnl_f32, dnnl_format_tag_any));
    check(dnnl_memory_desc_init_by_tag(&of->b, 1, b, dnnl_f32, dnnl_format_tag_any));
    check(dnnl_memory_desc_init_by_tag(&of->w, g > 1 ? 5 : 4, g > 1 ? grouped : w, dnnl_f32,
                                       dnnl_format_tag_any));
    of->strides[0] = conv->stride_h;
    of->strides[1] = conv->stride_w;
    of->before[0] = conv->pad_top;
    of->before[1] = conv->pad_left;
    const int64_t below = (conv->oh - 1) * conv->stride_h + conv->r - conv->h - conv->pad_top;
    const int64_t right = (conv->ow - 1) * conv->stride_w + conv->s - conv->w - conv->pad_left;
    of->after[0] = CNNI_MAX(below, 0);
    of->after[1] = CNNI_MAX(right, 0);
}

/* Adds an argument of the format that the primitive wants, with small numbers in it. */
static void add_argument(struct peer *peer, dnnl_primitive_desc_t description, dnnl_query_t what,
                         int name)
{
    dnnl_memory_t memory;
    void *data;
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(description, what, 0);
    check(dnnl_memory_create(&memory, wanted, engine, DNNL_MEMORY_ALLOCATE));
    check(dnnl_memory_get_data_handle(memory, &data));
    const size_t count = dnnl_memory_desc_get_size(wanted) / sizeof(float);
    float *noise = bench_floats(count);
    memcpy(data, noise, count * sizeof *noise);
    free(noise);
    peer->arguments[peer->count++] = (dnnl_exec_arg_t){name, memory};
}

/* False where oneDNN does not have the algorithm. */
static bool peer_create(struct peer *peer, const struct cnni_conv2d *conv, int64_t n,
                        enum direction direction, dnnl_alg_kind_t algorithm)
{
    struct descriptions of;
    dnnl_convolution_desc_t forward, other;
    dnnl_primitive_desc_t hint = NULL, made = NULL;
    *peer = (struct peer){.count = 0};
    describe(&of, conv, n);
    check(dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, algorithm, &of.x,
                                             &of.w, &of.b, &of.y, of.strides, of.before, of.after));
    if (dnnl_primitive_desc_create(&hint, &forward, NULL, engine, NULL) != dnnl_success)
        return false;
    if (direction == BACKWARD_DATA)
        check(dnnl_convolution_backward_data_desc_init(&other, algorithm, &of.x, &of.w, &of.y,
                                                       of.strides, of.before, of.after));
    else
        check(dnnl_convolution_backward_weights_desc_init(&other, algorithm, &of.x, &of.w, &of.b,
                                                          &of.y, of.strides, of.before, of.after));
    if (direction == FORWARD)
        made = hint;
    else if (dnnl_primitive_desc_create(&made, &other, NULL, engine, hint) != dnnl_success)
        return false;
    check(dnnl_primitive_create(&peer->primitive, made));
    static const struct {
        dnnl_query_t what;
        int name;
    } wanted[DIRECTIONS][MOST_ARGUMENTS] = {
        {{dnnl_query_src_md, DNNL_ARG_SRC},
         {dnnl_query_weights_md, DNNL_ARG_WEIGHTS},
         {dnnl_query_weights_md, DNNL_ARG_BIAS},
         {dnnl_query_dst_md, DNNL_ARG_DST}},
        {{dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC},
         {dnnl_query_weights_md, DNNL_ARG_WEIGHTS},
         {dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST}},
        {{dnnl_query_src_md, DNNL_ARG_SRC},
         {dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS},
         {dnnl_query_diff_weights_md, DNNL_ARG_DIFF_BIAS},
         {dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST}},
    };
    for (int i = 0; i < MOST_ARGUMENTS && wanted[direction][i].name != 0; i++)
        add_argument(peer, made, wanted[direction][i].what, wanted[direction][i].name);
    if (made != hint)
        dnnl_primitive_desc_destroy(made);
    dnnl_primitive_desc_destroy(hint);
    return true;
}

static void peer_run(const struct peer *peer)
{
    check(dnnl_primitive_execute(peer->primitive, stream, peer->count, peer->arguments));
    check(dnnl_stream_wait(stream));
}

static void peer_free(struct peer *peer)
{
    for (int i = 0; i < peer->count; i++)
        dnnl_memory_destroy(peer->arguments[i].memory);
    dnnl_primitive_destroy(peer->primitive);
}

/* ---- Both in turn ---- */

enum { MOST = 500 };

struct pair {
    double ours, theirs; /* seconds, medians */
};

static struct pair measure(void (*run)(const struct bench_conv *), const struct bench_conv *conv,
                           const struct peer *peer, double seconds)
{
    static double ours[MOST], theirs[MOST];
    int count = 0;
    run(conv);
    peer_run(peer);
    for (double spent = 0; (spent < seconds || count < 5) && count < MOST; count++) {
        const double start = bench_seconds();
        run(conv);
        const double middle = bench_seconds();
        peer_run(peer);
        const double end = bench_seconds();
        ours[count] = middle - start;
        theirs[count] = end - middle;
        spent += end - start;
    }
    return (struct pair){bench_median(ours, count), bench_median(theirs, count)};
}

/* Ours against oneDNN's, both direct; or ours as by default against the best of oneDNN's. */
static struct pair compare(cnn_context *context, const struct cnni_conv2d *layer, int64_t n,
                           enum direction direction, bool direct, double seconds)
{
    static void (*const run[DIRECTIONS])(const struct bench_conv *) = {
        bench_forward, bench_backward_data, bench_backward_filter};
    const dnnl_alg_kind_t algorithms[] = {dnnl_convolution_direct, dnnl_convolution_winograd};
    struct cnni_conv2d conv = *layer;
    struct bench_conv ours;
    struct pair best = {0, INFINITY};
    cnni_conv2d_choose(&conv, direct ? 0 : 4, n);
    bench_conv_create(&ours, context, &conv, n);
    for (int i = 0; i < (direct ? 1 : CNNI_COUNT(algorithms)); i++) {
        struct peer peer;
        if (!peer_create(&peer, layer, n, direction, algorithms[i]))
            continue;
        const struct pair pair = measure(run[direction], &ours, &peer, seconds);
        if (pair.theirs < best.theirs)
            best = pair;
        peer_free(&peer);
    }
    bench_conv_free(&ours);
    return best;
}

/* ---- Tables ---- */

/* Quotients of some rows, for their geometric mean. */
struct mean {
    double logs;
    double worst;
    int count;
};

static void mean_add(struct mean *mean, double quotient)
{
    mean->logs += log(quotient);
    mean->worst = mean->count++ == 0 ? quotient : fmin(mean->worst, quotient);
}

static void print_cell(struct mean *mean, struct pair pair, double flops)
{
    const double quotient = pair.theirs / pair.ours;
    printf(" %.0f / %.0f = %.2f |", flops / pair.ours / 1e9, flops / pair.theirs / 1e9, quotient);
    fflush(stdout);
    mean_add(mean, quotient);
}

static void print_table(cnn_context *context, int64_t n, double seconds, bool direct,
                        const char *only)
{
    struct mean means[DIRECTIONS] = {{0, 0, 0}};
    printf("\n%s, libcnn / oneDNN\n\n", direct ? "directly" : "as by default");
    printf("| layer | forward | backward-data | backward-weights |\n|---|---|---|---|\n");
    for (int i = 0; i < CNNI_COUNT(bench_layers); i++) {
        const struct cnni_conv2d *layer = &bench_layers[i].conv;
        struct cnni_conv2d chosen = *layer;
        cnni_conv2d_choose(&chosen, 4, n);
        if (layer->h == 1 || (!direct && chosen.tile == 0) ||
            (only != NULL && strstr(bench_layers[i].name, only) == NULL))
            continue;
        printf("| %s |", bench_layers[i].name);
        for (enum direction d = FORWARD; d < DIRECTIONS; d++) {
            if (d == BACKWARD_DATA && layer->c == 3)
                printf(" |"); /* never wanted of a first layer */
            else
                print_cell(&means[d], compare(context, layer, n, d, direct, seconds),
                           bench_flops(layer, n));
        }
        printf("\n");
    }
    printf("| geometric mean (worst) |");
    for (enum direction d = FORWARD; d < DIRECTIONS; d++)
        printf(" %.2f (%.2f) |", exp(means[d].logs / CNNI_MAX(means[d].count, 1)), means[d].worst);
    printf("\n");
}

int main(int argc, char **argv)
{
    const int64_t n = argc > 1 ? atoi(argv[1]) : 32;
    const double seconds = argc > 2 ? atof(argv[2]) : 1;
    const char *only = argc > 3 ? argv[3] : NULL;
    cnn_context *context;
    if (n < 1 || cnn_context_create(&context) != CNN_OK)
        return EXIT_FAILURE;
    cnn_context_set_threads(context, 1);
    check(dnnl_engine_create(&engine, dnnl_cpu, 0));
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    const dnnl_version_t *version = dnnl_version();
    print_machine();
    printf("level %s, batch %d, oneDNN %d.%d.%d\n", cnn_context_cpu_name(context), (int)n,
           version->major, version->minor, version->patch);
    print_table(context, n, seconds, true, only);
    print_table(context, n, seconds, false, only);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
