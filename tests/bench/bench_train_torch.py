# SPDX-License-Identifier: MIT
"""Times whole training steps in PyTorch, as bench_train does in libcnn.

  bench_train_torch.py NETWORK [--batch N] [--threads N] [--steps N] [--layout nhwc|nchw]

To cap PyTorch to AVX2, set ATEN_CPU_CAPABILITY=avx2, ONEDNN_MAX_CPU_ISA=AVX2 and
MKL_ENABLE_INSTRUCTIONS=AVX2.
"""
import argparse
import statistics
import time

import torch
from torch import nn

from networks import (NETWORKS, Conv, Dense, Flatten, Mean, Pool, Residual, plain, resident,
                      resident_start)


class Sum(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def convolution(layer):
    yield nn.LazyConv2d(layer.filters, layer.kernel, layer.stride, layer.padding,
                        groups=layer.groups, bias=not layer.normalized)
    if layer.normalized:
        yield nn.LazyBatchNorm2d()


# The modules of a layer of networks.py, without its activation.
MODULES = {
    Conv: convolution,
    Residual: lambda layer: [Sum(chain(layer.body), chain(layer.shortcut))],
    Pool: lambda layer: [nn.MaxPool2d(*layer)],
    Mean: lambda layer: [nn.AdaptiveAvgPool2d(1)],
    Flatten: lambda layer: [nn.Flatten()],
    Dense: lambda layer: [nn.LazyLinear(layer.units)],
}
ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6}


def chain(layers):
    modules = []
    for layer in layers:
        modules += MODULES[type(layer)](layer)
        if getattr(layer, "activation", None):
            modules.append(ACTIVATIONS[layer.activation]())
    return nn.Sequential(*modules)


def build(size, layers):
    model = chain(layers).eval()
    model(torch.zeros(1, 3, size, size))  # lazy modules learn their shapes
    return model.train()


def train(model, inputs, labels):
    """A function that makes one step and returns the loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nhwc")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    small = build(8, plain((4,), 0, 4))
    train(small, torch.rand(1, 3, 8, 8), torch.tensor([0]))()  # loads the rest of PyTorch
    resident_before = resident_start()
    memory = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    model = build(*NETWORKS[options.network]).to(memory_format=memory)
    size = NETWORKS[options.network][0]
    inputs = (torch.rand(options.batch, 3, size, size) * 2 - 1).to(memory_format=memory)
    labels = torch.arange(options.batch) % 2
    step = train(model, inputs, labels)
    seconds = []
    for i in range(-2, options.steps):
        start = time.perf_counter()
        loss = step()
        if i >= 0:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()} "
          f"network={options.network} batch={options.batch} threads={options.threads} "
          f"{options.layout}: median {1e3 * median:.2f} ms "
          f"min {1e3 * min(seconds):.2f} ms {options.batch / median:.1f} images/s "
          f"grew {resident('VmHWM') - resident_before:.1f} MiB loss {loss:.4f}")


if __name__ == "__main__":
    main()
