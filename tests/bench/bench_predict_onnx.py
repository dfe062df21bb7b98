# SPDX-License-Identifier: MIT
"""Times predictions in ONNX Runtime, as bench_predict does in libcnn.

  bench_predict_onnx.py NETWORK [--batch N] [--threads N] [--steps N]

ONNX Runtime takes the best instruction set of the machine and cannot be kept to a lower one.
"""
import argparse
import statistics
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from networks import NETWORKS, Conv, Dense, Flatten, Mean, Pool, Residual


class Graph:
    """A growing graph; `value` is the name of what the last node returns, which the next reads, of
    so many channels and pixels along a side."""

    def __init__(self, size):
        self.value, self.channels, self.size = "x", 3, size
        self.nodes, self.weights = [], []
        self.random = numpy.random.default_rng(1)

    def constant(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(numpy.float32(values), name))
        return name

    def node(self, kind, *more, **attributes):
        """Adds a node, whose further inputs are `more`."""
        inputs = [self.value, *more]
        self.value = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [self.value], **attributes))

    def weighted(self, kind, *shapes, **attributes):
        """Adds a node with small random weights of the shapes."""
        self.node(kind, *(self.constant(self.random.uniform(-0.05, 0.05, shape))
                          for shape in shapes), **attributes)

    def window(self, kernel, stride, padding):
        self.size = (self.size + 2 * padding - kernel) // stride + 1
        return {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}

    def conv(self, layer):
        """Normalization is folded into its weights and biases."""
        shape = (layer.filters, self.channels // layer.groups, layer.kernel, layer.kernel)
        self.channels = layer.filters
        self.weighted("Conv", shape, (layer.filters,), group=layer.groups,
                      **self.window(layer.kernel, layer.stride, layer.padding))

    def pool(self, layer):
        self.node("MaxPool", **self.window(*layer))

    def mean(self, _):
        self.size = 1
        self.node("GlobalAveragePool")

    def flatten(self, _):
        self.channels *= self.size * self.size
        self.node("Flatten")

    def dense(self, layer):
        self.weighted("Gemm", (layer.units, self.channels), (layer.units,), transB=1)
        self.channels = layer.units

    def residual(self, layer):
        start = self.value, self.channels, self.size
        self.chain(layer.body)
        body = self.value
        self.value, self.channels, self.size = start
        self.chain(layer.shortcut)
        self.node("Add", body)

    def chain(self, layers):
        for layer in layers:
            LAYERS[type(layer)](self, layer)
            if getattr(layer, "activation", None):
                ACTIVATIONS[layer.activation](self)


LAYERS = {Conv: Graph.conv, Residual: Graph.residual, Pool: Graph.pool, Mean: Graph.mean,
          Flatten: Graph.flatten, Dense: Graph.dense}
ACTIVATIONS = {
    "relu": lambda graph: graph.node("Relu"),
    "relu6": lambda graph: graph.node("Clip", graph.constant(0), graph.constant(6)),
}


def build(size, layers, batch):
    graph = Graph(size)
    graph.chain(layers)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, 3, size, size))
    y = helper.make_tensor_value_info(graph.value, TensorProto.FLOAT, (batch, graph.channels))
    made = helper.make_graph(graph.nodes, "network", [x], [y], graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def open_session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    size = NETWORKS[options.network][0]
    session = open_session(build(*NETWORKS[options.network], options.batch), options.threads)
    inputs = numpy.random.default_rng(2).uniform(-1, 1, (options.batch, 3, size, size))
    binding = session.io_binding()  # spares Python's part of each run
    binding.bind_cpu_input("x", inputs.astype(numpy.float32))
    binding.bind_output(session.get_outputs()[0].name)
    seconds = []
    for step in range(-5, options.steps):
        start = time.perf_counter()
        session.run_with_iobinding(binding)
        if step >= 0:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"onnxruntime {onnxruntime.__version__} network={options.network} "
          f"batch={options.batch} threads={options.threads} all: median {1e3 * median:.3f} ms "
          f"min {1e3 * min(seconds):.3f} ms {options.batch / median:.1f} images/s")


main()
