# SPDX-License-Identifier: MIT
"""Weights from PyTorch to libcnn and back: a network of random weights is saved, libcnn's outputs
are PyTorch's, and what libcnn saves PyTorch loads with strict=True, to the bit.

    check_torch_weights.py TORCH_WEIGHTS
"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from safetensors.torch import load_file, save_file
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# Only now: the folder also holds one called torch.
sys.path.append(str(pathlib.Path(__file__).parent.parent / "fixtures"))
import torch_networks


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(),
            nn.Conv2d(6, 8, (3, 2), groups=2, bias=False), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(8 * 4 * 3, 5))

    def forward(self, x):
        return self.classifier(self.features(x))


# As torch_weights.c names them: the network, whose probabilities are compared, and the shape of a
# batch.
NETWORKS = {
    "small": (Small, (5, 3, 10, 7)),
    "resnet18": (lambda: torch_networks.resnet18(10), (3, 3, 64, 64)),
    "mobilenet_v2": (lambda: torch_networks.MobileNetV2(10), (3, 3, 64, 64)),
}


def make_random(make, x):
    """A network whose every tensor is away from where it starts, and whose running statistics are
    those of `x`, so that a picture is still seen at the end."""
    network = make().train()
    for name, value in network.named_parameters():
        if name.endswith("weight") and value.dim() == 1:
            nn.init.uniform_(value, 0.5, 1.5)
        else:
            nn.init.normal_(value, 0, 0.5 if value.dim() < 2 else (2 / value[0].numel()) ** 0.5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1
    with torch.no_grad():
        network(x)
    return network.eval()


def run(program, name, network, x, folder):
    """Returns what libcnn predicts, and the path of the weights that it saved."""
    weights, saved = folder + "/weights.safetensors", folder + "/saved.safetensors"
    save_file(network.state_dict(), weights)
    x.permute(0, 2, 3, 1).contiguous().numpy().tofile(folder + "/input.bin")
    subprocess.run([program, name, weights, folder + "/input.bin", folder + "/output.bin", saved],
                   check=True)
    outputs = np.fromfile(folder + "/output.bin", "<f4").reshape(len(x), -1)
    return torch.from_numpy(outputs), saved


def check_outputs(name, network, x, outputs):
    """As near to double precision as PyTorch's single precision is, but for Winograd's share."""
    with torch.no_grad():
        single = network.float()(x).softmax(1)
        wanted = network.double()(x.double()).softmax(1)
    error, usual = ((y - wanted).abs().max() / wanted.abs().max() for y in (outputs, single))
    print(f"{name}: outputs differ by {error:.1e} of the largest, PyTorch's by {usual:.1e}")
    assert wanted.std(0).max() > 0.001  # the pictures matter
    assert error < 10 * usual + 2e-6


def check_loads_back(make, network, saved):
    """strict=True, and every float has the bits that were saved; counters of batches are not."""
    again = make()
    again.load_state_dict(load_file(saved), strict=True)
    wanted = network.state_dict()
    for key, value in again.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert value.dtype == torch.float32
            assert torch.equal(value.view(torch.int32), wanted[key].float().view(torch.int32)), key


def check_network(program, name, folder):
    make, shape = NETWORKS[name]
    for dtype in torch.float32, torch.float64, torch.float16, torch.bfloat16:
        x = torch.randn(shape)
        network = make_random(make, x).to(dtype)
        outputs, saved = run(program, name, network, x, folder)
        check_loads_back(make, network, saved)
        check_outputs(f"{name}, {dtype}", network, x, outputs)


def main(program):
    torch.manual_seed(3)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            check_network(program, name, folder)


main(*sys.argv[1:])
