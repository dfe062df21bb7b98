/* SPDX-License-Identifier: MIT
 * Whole training steps of the two reference networks in libcnn and made of oneDNN's primitives
 * (onednn_step.h), in turn, on one thread:
 *
 *     OMP_NUM_THREADS=1 taskset -c 1 compare_train_onednn NETWORK [--batch N] [--steps N]
 *
 * oneDNN's step is made three times: with its direct convolutions, with Winograd's behind the first
 * layer where it has them, and with those that it chooses itself.  Before anything is timed, each
 * has to compute what libcnn computes: two steps from the same weights.  Cap both libraries to the
 * same level with CNN_CPU=avx2 ONEDNN_MAX_CPU_ISA=AVX2, or avx512 and AVX512_CORE;
 * compare_train_onednn.sh does all of it. */
#include "bench/harness.h"
#include "bench/machine.h"
#include "bench/onednn_step.h"

enum { CHECKED_STEPS = 2, MOST_STEPS = 1000 };

/* So small that rounding does not grow from step to step. */
static const double learning_rate = 1e-4, momentum = 0.9;

static const struct way {
    const char *name;
    dnnl_alg_kind_t algorithm;
} ways[] = {
    {"direct", dnnl_convolution_direct},
    {"Winograd", dnnl_convolution_winograd},
    {"auto", dnnl_convolution_auto},
};

enum { WAYS = sizeof ways / sizeof ways[0] };

/* ---- libcnn's side ---- */

struct ours {
    cnn_context *context;
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_tensor *inputs, *labels;
};

static void ours_create(struct ours *ours, const struct network *network, int64_t batch)
{
    check(cnn_context_create(&ours->context));
    check(cnn_context_set_threads(ours->context, 1));
    ours->model = build(ours->context, network);
    check(cnn_sgd_create(&ours->optimizer, ours->context, learning_rate));
    check(cnn_sgd_set_momentum(ours->optimizer, momentum));
    check(cnn_trainer_create(&ours->trainer, ours->model, ours->optimizer,
                             CNN_SOFTMAX_CROSS_ENTROPY, batch));
    ours->inputs = noise(ours->context, network, batch);
    ours->labels = alternating_labels(ours->context, batch);
}

static double ours_run(const struct ours *ours)
{
    const cnn_tensor *input = ours->inputs, *target = ours->labels;
    double loss;
    check(cnn_trainer_step(&loss, ours->trainer, &input, 1, &target, 1));
    return loss;
}

static void ours_free(struct ours *ours)
{
    cnn_tensor_free(ours->inputs);
    cnn_tensor_free(ours->labels);
    cnn_trainer_free(ours->trainer);
    cnn_optimizer_free(ours->optimizer);
    cnn_model_free(ours->model);
    cnn_context_free(ours->context);
}

/* A parameter of the model as PyTorch has it, in an array to be freed. */
static float *ours_parameter(const struct ours *ours, int32_t index, int64_t *count)
{
    const char *name = cnn_model_parameter_name(ours->model, index);
    int64_t shape[8];
    int32_t rank;
    cnn_tensor *values;
    check(cnn_model_parameter_shape(shape, &rank, ours->model, name));
    check(cnn_tensor_create(&values, ours->context, CNN_FLOAT32, shape, rank));
    check(cnn_model_get_parameter(ours->model, name, values));
    *count = cnn_tensor_count(values);
    float *copied = malloc((size_t)*count * sizeof *copied);
    memcpy(copied, cnn_tensor_data(values), (size_t)*count * sizeof *copied);
    cnn_tensor_free(values);
    return copied;
}

/* ---- Do both compute the same? ---- */

/* The parameter that libcnn numbers so, in PyTorch's layout. */
static dnnl_memory_t peer_parameter(struct step *step, int32_t index, dnnl_memory_t *value)
{
    struct layer *layer = &step->layers[index / 2];
    *value = index % 2 == 0 ? layer->weight.value : layer->bias.value;
    const dnnl_memory_desc_t format = plain(index % 2 == 0 ? layer->x_rank : 1, layer->w);
    return allocate(&format);
}

static void take_weights(struct step *step, const struct ours *ours)
{
    for (int32_t i = 0; i < 2 * step->layer_count; i++) {
        int64_t count;
        dnnl_memory_t value, copied = peer_parameter(step, i, &value);
        float *w = ours_parameter(ours, i, &count);
        memcpy(data_of(copied), w, (size_t)count * sizeof *w);
        copy(value, copied);
        dnnl_memory_destroy(copied);
        free(w);
    }
}

/* How far both ways of training a parameter have come apart since `before`: the norm of the
 * difference over the norm of the change. */
static double distance(struct step *step, const struct ours *ours, int32_t index,
                       const float *before)
{
    int64_t count;
    double apart = 0, change = 0;
    dnnl_memory_t value, copied = peer_parameter(step, index, &value);
    float *w = ours_parameter(ours, index, &count);
    copy(copied, value);
    for (int64_t i = 0; i < count; i++) {
        apart += pow((double)data_of(copied)[i] - (double)w[i], 2);
        change += pow((double)w[i] - (double)before[i], 2);
    }
    dnnl_memory_destroy(copied);
    free(w);
    return sqrt(apart / change);
}

/* Both round differently, and of a million windows some then have another winner: gradients, which
 * add up like noise, move by the root of that share.  What is forgotten or wrong moves them by
 * several per cent at least. */
static const double most_distance = 1e-2;

static void compare_results(struct step *step, const struct network *network, int64_t batch,
                            const char *name)
{
    struct ours ours;
    float *before[2 * MOST_LAYERS];
    int64_t count;
    double worst = 0, loss = 0, our_loss = 0;
    ours_create(&ours, network, batch);
    take_weights(step, &ours);
    for (int32_t i = 0; i < 2 * step->layer_count; i++)
        before[i] = ours_parameter(&ours, i, &count);
    for (int i = 0; i < CHECKED_STEPS; i++) {
        our_loss = ours_run(&ours);
        loss = step_run(step, cnn_tensor_data(ours.labels), (float)learning_rate, (float)momentum);
    }
    for (int32_t i = 0; i < 2 * step->layer_count; i++) {
        worst = fmax(worst, distance(step, &ours, i, before[i]));
        free(before[i]);
    }
    printf("%s: losses %.6f and %.6f, weights apart by %.1e of their change, %d reorders a step\n",
           name, our_loss, loss, worst, step->forward.reorders + step->backward.reorders);
    if (!(worst <= most_distance) || !(fabs(loss - our_loss) <= most_distance)) {
        fprintf(stderr, "compare_train_onednn: the two compute different things\n");
        exit(EXIT_FAILURE);
    }
    ours_free(&ours);
}

/* ---- Both in turn ---- */

static void measure(struct step steps[WAYS], const struct ours *ours, int64_t count)
{
    static double seconds[WAYS + 1][MOST_STEPS];
    for (int64_t i = 0; i < count; i++) {
        double start = bench_seconds();
        ours_run(ours);
        seconds[WAYS][i] = bench_seconds() - start;
        for (int way = 0; way < WAYS; way++) {
            start = bench_seconds();
            step_run(&steps[way], cnn_tensor_data(ours->labels), (float)learning_rate,
                     (float)momentum);
            seconds[way][i] = bench_seconds() - start;
        }
    }
    const double our_seconds = bench_median(seconds[WAYS], (int)count);
    printf("\n| step | ms | / libcnn |\n|---|---|---|\n| libcnn | %.2f | |\n", 1e3 * our_seconds);
    for (int way = 0; way < WAYS; way++) {
        const double peer = bench_median(seconds[way], (int)count);
        printf("| oneDNN %s | %.2f | %.2f |\n", ways[way].name, 1e3 * peer, peer / our_seconds);
    }
}

int main(int argc, char **argv)
{
    const struct network *network = find(argc > 1 ? argv[1] : "wide");
    if (network->ready) {
        fprintf(stderr, "bench: oneDNN has no %s here, only classic and wide\n", network->name);
        return 2;
    }
    const int64_t batch = option(argc, argv, "--batch", 32);
    const int64_t count = option(argc, argv, "--steps", 9);
    static struct step steps[WAYS];
    struct ours ours;
    const dnnl_version_t *version = dnnl_version();
    if (batch < 1 || count < 1 || count > MOST_STEPS)
        return EXIT_FAILURE;
    check_peer(dnnl_engine_create(&engine, dnnl_cpu, 0));
    check_peer(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    ours_create(&ours, network, batch);
    print_machine();
    printf("libcnn %s %s, oneDNN %d.%d.%d, %s, batch %lld\n", cnn_version_string(),
           cnn_context_cpu_name(ours.context), version->major, version->minor, version->patch,
           network->name, (long long)batch);
    for (int way = 0; way < WAYS; way++) {
        step_create(&steps[way], network, batch, ways[way].algorithm);
        step_set_input(&steps[way], cnn_tensor_data(ours.inputs));
        compare_results(&steps[way], network, batch, ways[way].name);
    }
    measure(steps, &ours, count);
    ours_free(&ours);
    return EXIT_SUCCESS;
}
