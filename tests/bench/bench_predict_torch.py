# SPDX-License-Identifier: MIT
"""Times predictions in PyTorch, as bench_predict does in libcnn.

  bench_predict_torch.py NETWORK [--batch N] [--threads N] [--steps N] [--mode MODE]

MODE: nhwc, nchw (plain modules in either layout), frozen (traced, frozen, optimized for inference)
or compile (torch.compile, channels last).  To cap PyTorch to AVX2, set the variables that
compare_train.sh sets.
"""
import argparse
import statistics
import time

import torch

from bench_train_torch import build
from networks import NETWORKS


def prepare(model, inputs, mode):
    if mode == "frozen":
        return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, inputs)))
    return torch.compile(model) if mode == "compile" else model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--mode", choices=("nhwc", "nchw", "frozen", "compile"), default="nhwc")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    memory = torch.contiguous_format if options.mode == "nchw" else torch.channels_last
    model = build(*NETWORKS[options.network]).to(memory_format=memory).eval()
    size = NETWORKS[options.network][0]
    inputs = (torch.rand(options.batch, 3, size, size) * 2 - 1).to(memory_format=memory)
    seconds = []
    with torch.inference_mode():
        model = prepare(model, inputs, options.mode)
        for step in range(-5, options.steps):
            start = time.perf_counter()
            model(inputs)
            if step >= 0:
                seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()} "
          f"network={options.network} batch={options.batch} threads={options.threads} "
          f"{options.mode}: median {1e3 * median:.3f} ms min {1e3 * min(seconds):.3f} ms "
          f"{options.batch / median:.1f} images/s")


main()
