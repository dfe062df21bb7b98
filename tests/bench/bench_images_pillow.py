# SPDX-License-Identifier: MIT
# bench_images_pillow.py FOLDER [PASSES]: what bench_images.c measures, with Pillow: draft mode
# (scaled decoding, as its users do it for thumbnails) and full decoding, then BILINEAR to 128x128.
import io
import os
import statistics
import sys
import time

import PIL
from PIL import Image, features

SIZE = (128, 128)


def read_folder(path):
    files = []
    for name in sorted(os.listdir(path)):
        if not name.startswith("."):
            with open(os.path.join(path, name), "rb") as stream:
                files.append(stream.read())
    return files


def run_pass(files, draft):
    start = time.thread_time()
    for data in files:
        image = Image.open(io.BytesIO(data))
        if draft:
            image.draft("RGB", SIZE)
        image.convert("RGB").resize(SIZE, Image.BILINEAR)
    return time.thread_time() - start


def measure(files, passes, draft):
    times = [run_pass(files, draft) for _ in range(passes)]
    print("Pillow %s (libjpeg-turbo %s) %s decode: %.1f pictures/s "
          "(median of %d passes over %d files; best %.1f)"
          % (PIL.__version__, features.version("libjpeg_turbo"), "draft" if draft else "full",
             len(files) / statistics.median(times), passes, len(files), len(files) / min(times)))


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: bench_images_pillow.py FOLDER [PASSES]")
    files = read_folder(sys.argv[1])
    passes = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    measure(files, passes, True)
    measure(files, passes, False)


main()
