# SPDX-License-Identifier: MIT
"""What the Python programs share, as networks.h and resident.h have it for those in C."""

from collections import namedtuple

# What is normalized has no bias.
Conv = namedtuple("Conv", "filters kernel stride padding groups activation normalized",
                  defaults=(1, 0, 1, None, True))
Pool = namedtuple("Pool", "window stride padding", defaults=(0,))
Residual = namedtuple("Residual", "body shortcut activation", defaults=((), None))  # their sum
Mean = namedtuple("Mean", "")  # of the picture
Flatten = namedtuple("Flatten", "")
Dense = namedtuple("Dense", "units activation", defaults=(None,))


def plain(filters, padding, units):
    """Blocks of convolution, ReLU and pooling, and two dense layers."""
    for count in filters:
        yield Conv(count, 3, 1, padding, activation="relu", normalized=False)
        yield Pool(2, 2)
    yield from (Flatten(), Dense(units, "relu"), Dense(2))


def basic_block(filters, stride, changes):
    return Residual((Conv(filters, 3, stride, 1, activation="relu"), Conv(filters, 3, 1, 1)),
                    (Conv(filters, 1, stride),) if changes else (), "relu")


def resnet(stem, blocks, filters, classes):
    """The basic blocks of ResNet behind the stem."""
    yield from stem
    for stage, count in enumerate(blocks):
        for i in range(count):
            first = stage > 0 and i == 0
            yield basic_block(filters << stage, 2 if first else 1, first)
    yield from (Mean(), Flatten(), Dense(classes))


def inverted_residual(channels, filters, expansion, stride):
    wide = channels * expansion
    body = (Conv(wide, 1, activation="relu6"),) if expansion > 1 else ()
    body += (Conv(wide, 3, stride, 1, wide, "relu6"), Conv(filters, 1))
    return (Residual(body),) if stride == 1 and channels == filters else body


def mobilenet_v2():
    yield Conv(32, 3, 2, 1, activation="relu6")
    channels = 32
    for expansion, filters, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                                              (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                              (6, 320, 1, 1)):
        for i in range(count):
            yield from inverted_residual(channels, filters, expansion, stride if i == 0 else 1)
            channels = filters
    yield from (Conv(1280, 1, activation="relu6"), Mean(), Flatten(), Dense(1000))


# Pixels along a side, and the layers.
NETWORKS = {
    "classic": (64, tuple(plain((32, 32), 0, 128))),
    "wide": (128, tuple(plain((32, 64, 128, 128), 1, 512))),
    "resnet18": (224, tuple(resnet((Conv(64, 7, 2, 3, activation="relu"), Pool(3, 2, 1)),
                                   (2, 2, 2, 2), 64, 1000))),
    "mobilenet_v2": (224, tuple(mobilenet_v2())),
    "resnet_small": (96, tuple(resnet((Conv(32, 5, 2, 2, activation="relu"),),
                                      (1, 2, 2, 1), 32, 2))),
}


def resident(field):
    """MiB of a field of /proc/self/status: "VmRSS", now; "VmHWM", at most so far."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


def resident_start():
    """Lets "VmHWM" begin anew at what is in use now, and returns that."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return resident("VmRSS")
