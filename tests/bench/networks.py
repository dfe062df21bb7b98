# SPDX-License-Identifier: MIT
"""The two reference networks for the Python programs, as networks.h has them for those in C: pixels
along a side, filters of each block, padding, units of the hidden dense layer."""

NETWORKS = {"classic": (64, (32, 32), 0, 128), "wide": (128, (32, 64, 128, 128), 1, 512)}
