# SPDX-License-Identifier: MIT
"""Opens a model file with the safetensors package, rebuilds the network in NumPy from what is in
it, in PyTorch's layouts, and compares its predictions with libcnn's.  Then lets libcnn read what
the package writes.

    check_safetensors.py MAKE_MODEL
"""

import json
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def crc32c(data):
    """CRC-32C from its definition, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return f"{crc ^ 0xFFFFFFFF:08x}"


# ---- The layers, on arrays [n][c][h][w] --------------------------------------------------------


def same_padding(size, kernel, stride, dilation):
    """Zeros before and behind, as ONNX's SAME_UPPER."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def conv2d(x, options, weight, bias):
    filters, depth, rows, columns = weight.shape
    stride = options["stride_height"], options["stride_width"]
    dilation = options["dilation_height"], options["dilation_width"]
    if options["padding_same"]:
        vertical = same_padding(x.shape[2], rows, stride[0], dilation[0])
        horizontal = same_padding(x.shape[3], columns, stride[1], dilation[1])
    else:
        vertical = options["padding_top"], options["padding_bottom"]
        horizontal = options["padding_left"], options["padding_right"]
    x = np.pad(x, ((0, 0), (0, 0), vertical, horizontal))
    height = (x.shape[2] - dilation[0] * (rows - 1) - 1) // stride[0] + 1
    width = (x.shape[3] - dilation[1] * (columns - 1) - 1) // stride[1] + 1
    y = np.zeros((x.shape[0], filters, height, width))
    per_group = filters // options["groups"]
    for k in range(filters):
        first = k // per_group * depth
        for r in range(rows):
            for s in range(columns):
                top, left = r * dilation[0], s * dilation[1]
                window = x[:, first:first + depth,
                           top:top + (height - 1) * stride[0] + 1:stride[0],
                           left:left + (width - 1) * stride[1] + 1:stride[1]]
                y[:, k] += np.einsum("nchw,c->nhw", window, weight[k, :, r, s])
    return y if bias is None else y + bias[None, :, None, None]


def maxpool2d(x, options):
    rows, columns = options["window_height"], options["window_width"]
    stride = options["stride_height"] or rows, options["stride_width"] or columns
    vertical, horizontal = options["padding_height"], options["padding_width"]
    x = np.pad(x, ((0, 0), (0, 0), (vertical, vertical), (horizontal, horizontal)),
               constant_values=-np.inf)
    height = (x.shape[2] - rows) // stride[0] + 1
    width = (x.shape[3] - columns) // stride[1] + 1
    windows = [x[:, :, r:r + (height - 1) * stride[0] + 1:stride[0],
                 s:s + (width - 1) * stride[1] + 1:stride[1]]
               for r in range(rows) for s in range(columns)]
    return np.max(windows, axis=0)


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def run_layer(layer, inputs, tensors):
    x, options = inputs[0], layer["options"]
    weight = tensors.get(layer["name"] + ".weight")
    bias = tensors.get(layer["name"] + ".bias")
    return {
        "conv2d": lambda: conv2d(x, options, weight, bias),
        "maxpool2d": lambda: maxpool2d(x, options),
        "dense": lambda: x @ weight.T + (0 if bias is None else bias),
        "relu": lambda: np.maximum(x, 0),
        "softmax": lambda: softmax(x),
        "flatten": lambda: x.reshape(len(x), -1),
        "dropout": lambda: x,
        "add": lambda: sum(inputs),
    }[layer["kind"]]()


def predict(graph, tensors, pictures):
    outputs = []
    for layer in graph["layers"]:
        inputs = [pictures if i < 0 else outputs[i] for i in layer["inputs"]]
        outputs.append(run_layer(layer, inputs, tensors))
    return outputs[-1]


# ---- The checks --------------------------------------------------------------------------------


def check_file(path):
    """Returns the graph and the tensors, after checking the checksums and the alignment."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0, "the values are not aligned"
    header = data[8:8 + length].decode()
    entries = json.loads(header)
    crc = entries["__metadata__"]["cnn.header_crc32c"]
    assert header.count(crc) == 1
    assert crc32c(header.replace(crc, "00000000").encode()) == crc, "the header's checksum"
    with safe_open(path, "np") as file:
        graph = json.loads(file.metadata()["cnn"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    names = [name for name in entries if name != "__metadata__"]
    assert len(graph["crc32c"]) == len(names)
    for name, wanted in zip(names, graph["crc32c"]):
        assert crc32c(tensors[name].tobytes()) == wanted, f"the checksum of {name}"
    return graph, tensors


def check_predictions(folder, graph, tensors):
    height, width, channels = graph["input"]
    pictures = np.fromfile(folder + "/input.bin", "<f4").reshape(-1, height, width, channels)
    wanted = np.fromfile(folder + "/output.bin", "<f4").reshape(len(pictures), -1)
    doubles = {name: values.astype(np.float64) for name, values in tensors.items()}
    got = predict(graph, doubles, pictures.transpose(0, 3, 1, 2).astype(np.float64))
    assert np.ptp(wanted) > 0.01, "the predictions are all alike"
    difference = np.abs(got - wanted).max()
    assert difference < 1e-5, f"predictions differ by {difference}"
    print(f"predictions differ by {difference:.1e} at most")


def read(program, path):
    return subprocess.run([program, "read", path], check=True, capture_output=True,
                          text=True).stdout.strip()


def check_reading(program, folder, tensors):
    """What the package writes without libcnn's metadata is refused with the reason."""
    assert read(program, folder + "/model.cnn") == "OK"
    other = folder + "/other.safetensors"
    for metadata in None, {"format": "pt"}:
        save_file(tensors, other, metadata)
        answer = read(program, other)
        assert answer.startswith("CNN_ERROR_FORMAT"), answer
        assert "not written by libcnn" in answer, answer


def check_checkpoint(program, folder, tensors):
    """A model file with averages behind the parameters, and a text about the training."""
    path = folder + "/model.ckpt"
    graph, kept = check_file(path)
    with safe_open(path, "np") as file:
        checkpoint = json.loads(file.metadata()["cnn.checkpoint"])
    assert checkpoint["note"] == "ä" and checkpoint["numbers"]["optimizer.steps"] == 1
    assert checkpoint["settings"]["optimizer"]["kind"] == "adam"
    names = {f"{name}{kind}" for name in tensors
             for kind in ("", "/optimizer.average1", "/optimizer.average2")}
    assert set(kept) == names, set(kept) ^ names
    for name in tensors:
        gradient = kept[name + "/optimizer.average1"].astype(np.float64) / 0.1
        assert gradient.shape == tensors[name].shape == kept[name].shape
        square = kept[name + "/optimizer.average2"].astype(np.float64) / 0.001
        assert np.allclose(square, gradient**2, rtol=1e-4, atol=1e-30), name
        moved = np.where(gradient == 0, 0, -0.01 * np.sign(gradient))
        big = np.abs(gradient) > 1e-4
        assert np.allclose((kept[name] - tensors[name])[big], moved[big], rtol=1e-2), name
    assert read(program, path) == "OK"


def check_weights(program, folder, tensors):
    """As weights that file is good, in any type, and comes back with its names, shapes and bits."""
    path = folder + "/weights.safetensors"
    for dtype in np.float32, np.float16, np.float64:
        written = {name: values.astype(dtype) for name, values in tensors.items()}
        save_file(written, path)
        subprocess.run([program, "weights", path], check=True)
        with safe_open(path, "np") as file:
            assert file.metadata() == {"format": "pt"}, file.metadata()
            assert set(file.keys()) == set(tensors)
            for name, values in written.items():
                got = file.get_tensor(name)
                assert got.dtype == np.float32 and got.shape == values.shape
                assert got.tobytes() == values.astype(np.float32).tobytes(), name


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "write", folder], check=True)
        graph, tensors = check_file(folder + "/model.cnn")
        assert graph["classes"] == ["cat", "dog", "ä", '"4"']
        check_predictions(folder, graph, tensors)
        check_reading(program, folder, tensors)
        check_checkpoint(program, folder, tensors)
        check_weights(program, folder, tensors)


main(*sys.argv[1:])
