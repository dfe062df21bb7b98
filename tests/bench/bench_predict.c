/* SPDX-License-Identifier: MIT
 * Times predictions of the networks of networks.h on random data, through the public interface
 * alone.
 *   bench_predict NETWORK [--batch N] [--threads N] [--steps N]
 * Prints one line: the median and the fastest run.  bench_predict_torch.py prints the same for
 * PyTorch, and compare_predict.sh runs both in turn. */
#include "bench/networks.h"

int main(int argc, char **argv)
{
    const struct network *network = find(argc > 1 ? argv[1] : "wide");
    const int64_t batch = option(argc, argv, "--batch", 1);
    const int64_t steps = option(argc, argv, "--steps", 200);
    const int64_t shape[] = {batch, network->classes};
    cnn_context *context;
    cnn_session *session;
    cnn_tensor *outputs;
    check(cnn_context_create(&context));
    check(cnn_context_set_threads(context, (int32_t)option(argc, argv, "--threads", 1)));
    cnn_model *model = build(context, network);
    check(cnn_session_create(&session, model, batch));
    cnn_tensor *inputs = noise(context, network, batch);
    check(cnn_tensor_create(&outputs, context, CNN_FLOAT32, shape, 2));

    double *seconds = malloc((size_t)steps * sizeof *seconds);
    const cnn_tensor *input = inputs;
    for (int64_t i = -5; i < steps; i++) { /* the first five warm up */
        const double start = now();
        check(cnn_session_run(session, &outputs, 1, &input, 1));
        if (i >= 0)
            seconds[i] = now() - start;
    }
    qsort(seconds, (size_t)steps, sizeof *seconds, by_value);
    const double median = seconds[steps / 2];
    printf(
        "libcnn %s %s network=%s batch=%lld threads=%d: median %.3f ms min %.3f ms %.1f images/s "
        "held %.1f MiB\n",
        cnn_version_string(), cnn_context_cpu_name(context), network->name, (long long)batch,
        cnn_context_threads(context), 1e3 * median, 1e3 * seconds[0], (double)batch / median,
        (double)cnn_session_bytes(session) / (1 << 20));
    free(seconds);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_session_free(session);
    cnn_model_free(model);
    cnn_context_free(context);
    return 0;
}
