# SPDX-License-Identifier: MIT
"""Trains shortly with cats-dogs train --tensorboard --metrics, opens the event file with the
tensorboard package, and compares every number with the lines of JSON, read by Python's own parser.

    check_tensorboard.py CATS_DOGS
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

EPOCHS, STEPS = 3, 4  # of 60 pictures in batches of 16, the last of them of 12


def train(program, folder, options):
    subprocess.run([program, "draw", folder / "data", "--kinds", "3", "--count", "66"], check=True)
    subprocess.run([program, "train", folder / "data", "--network", "classic", "--size", "16",
                    "--batch", "16", "--epochs", str(EPOCHS), "--output", folder / "model.cnn",
                    "--quiet"] + options, check=True, stdout=subprocess.DEVNULL)


def read_lines(path):
    """The lines of the file of metrics, by event."""
    events = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line, parse_constant=lambda name: sys.exit(f"found {name} in JSON"))
        events.setdefault(fields["event"], []).append(fields)
    return events


def read_board(folder):
    """(step, value) of each tag, as TensorBoard shows them."""
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
            for tag in accumulator.Tags()["scalars"]}


def compare(tag, found, wanted):
    assert len(found) == len(wanted), f"{tag}: found {len(found)} values, wanted {len(wanted)}"
    for (step, value), (wanted_step, wanted_value) in zip(found, wanted):
        assert step == wanted_step, f"{tag}: found step {step}, wanted {wanted_step}"
        assert math.isclose(value, wanted_value, rel_tol=1e-6, abs_tol=1e-9), \
            f"{tag}: found {value} at step {step}, wanted {wanted_value}"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train(sys.argv[1], folder,
              ["--tensorboard", folder / "runs" / "a", "--metrics", folder / "lines"])
        lines = read_lines(folder / "lines")
        board = read_board(folder / "runs" / "a")

    (start,), (end,) = lines["start"], lines["end"]
    assert start["classes"] == ["cats", "dogs", "rabbits"], start
    assert len(lines["step"]) == EPOCHS * STEPS and len(lines["epoch"]) == EPOCHS
    of_tags = {
        "loss/step": ("step", "loss"),
        "accuracy/step": ("step", "accuracy"),
        "learning_rate": ("step", "learning_rate"),
        "loss/training": ("epoch", "loss"),
        "accuracy/training": ("epoch", "accuracy"),
        "loss/validation": ("epoch", "validation_loss"),
        "accuracy/validation": ("epoch", "validation_accuracy"),
    }
    for tag, (event, field) in of_tags.items():
        compare(tag, board.pop(tag),
                [(line["global_step"], line[field]) for line in lines[event]])
    compare("accuracy/test", board.pop("accuracy/test"),
            [(EPOCHS * STEPS, end["test_accuracy"])])
    assert not board, f"found other tags: {sorted(board)}"
    print("tensorboard shows what the lines of JSON say")


main()
