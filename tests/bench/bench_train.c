/* SPDX-License-Identifier: MIT
 * Times whole training steps of the networks of networks.h on random data, through the public
 * interface alone.
 *   bench_train NETWORK [--batch N] [--threads N] [--steps N]
 * Prints one line: the median and the fastest step, the memory that the trainer holds, and by how
 * much the process grew at its peak, from before the model was built.  bench_train_torch.py prints
 * the same for PyTorch; compare_train.sh and compare_memory.sh run both. */
#include "bench/networks.h"
#include "bench/resident.h"

int main(int argc, char **argv)
{
    const double resident_before = resident_start();
    const struct network *network = find(argc > 1 ? argv[1] : "wide");
    int64_t batch = option(argc, argv, "--batch", 32), steps = option(argc, argv, "--steps", 9);
    cnn_context *context;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    check(cnn_context_create(&context));
    check(cnn_context_set_threads(context, (int32_t)option(argc, argv, "--threads", 1)));
    cnn_model *model = build(context, network);
    check(cnn_sgd_create(&optimizer, context, 0.01));
    check(cnn_sgd_set_momentum(optimizer, 0.9));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, batch));
    cnn_tensor *inputs = noise(context, network, batch);
    cnn_tensor *labels = alternating_labels(context, batch);

    double *seconds = malloc((size_t)steps * sizeof *seconds), loss = 0;
    const cnn_tensor *input = inputs, *target = labels;
    for (int64_t i = -2; i < steps; i++) { /* the first two warm up */
        double start = now();
        check(cnn_trainer_step(&loss, trainer, &input, 1, &target, 1));
        if (i >= 0)
            seconds[i] = now() - start;
    }
    qsort(seconds, (size_t)steps, sizeof *seconds, by_value);
    double median = seconds[steps / 2];
    printf("libcnn %s %s network=%s batch=%lld threads=%d: median %.2f ms min %.2f ms "
           "%.1f images/s held %.1f MiB grew %.1f MiB loss %.4f\n",
           cnn_version_string(), cnn_context_cpu_name(context), network->name, (long long)batch,
           cnn_context_threads(context), 1e3 * median, 1e3 * seconds[0], (double)batch / median,
           (double)cnn_trainer_bytes(trainer) / (1 << 20), resident("VmHWM") - resident_before,
           loss);
    free(seconds);
    cnn_tensor_free(inputs);
    cnn_tensor_free(labels);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_context_free(context);
    return 0;
}
