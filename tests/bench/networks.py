# SPDX-License-Identifier: MIT
"""What the Python programs share, as networks.h and resident.h have it for those in C."""

# Pixels along a side, filters of each block, padding, units of the hidden dense layer.
NETWORKS = {"classic": (64, (32, 32), 0, 128), "wide": (128, (32, 64, 128, 128), 1, 512)}


def resident(field):
    """MiB of a field of /proc/self/status: "VmRSS", now; "VmHWM", at most so far."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


def resident_start():
    """Lets "VmHWM" begin anew at what is in use now, and returns that."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return resident("VmRSS")
