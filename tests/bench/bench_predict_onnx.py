# SPDX-License-Identifier: MIT
"""Times predictions of the two reference networks in ONNX Runtime, as bench_predict does in libcnn.

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

from networks import NETWORKS


class Graph:
    """A chain of nodes; `value` is the name of what the last one returns."""

    def __init__(self, value):
        self.value, self.nodes, self.weights = value, [], []
        self.random = numpy.random.default_rng(1)

    def add(self, kind, *shapes, **attributes):
        """Adds a node, with weights of the shapes as its further inputs."""
        names = [self.value]
        for shape in shapes:
            names.append(f"w{len(self.weights)}")
            weights = self.random.uniform(-0.05, 0.05, shape).astype(numpy.float32)
            self.weights.append(numpy_helper.from_array(weights, names[-1]))
        self.value = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [self.value], **attributes))


def build(size, filters, padding, units, batch):
    graph = Graph("x")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, 3, size, size))
    channels = 3
    for count in filters:
        graph.add("Conv", (count, channels, 3, 3), (count,), pads=[padding] * 4)
        graph.add("Relu")
        graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        channels, size = count, (size - 2 + 2 * padding) // 2
    graph.add("Flatten")
    graph.add("Gemm", (units, channels * size * size), (units,), transB=1)
    graph.add("Relu")
    graph.add("Gemm", (2, units), (2,), transB=1)
    y = helper.make_tensor_value_info(graph.value, TensorProto.FLOAT, (batch, 2))
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
