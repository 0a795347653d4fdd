"""How time, disk and memory grow with the examples, and memory with the phases: `python benchmarks/transfer_growth.py`.

Activations are kept on the disk, in a temporary folder, and the images are JPEG files that are read when their turn
comes, so that neither lies in memory. Every number of images is trained in a process of its own. The table shows:

- pass, CPU s: computing and storing the activations of all phases, reading the images among it
- disk, MB: what is stored
- memory, MB: the most that the process held in memory, up to the end of the pass and of training, above what it held
  when the model was built and nothing had been computed; pages of mapped files count

With `--phases 20` one run of that many phases, of one epoch each, tells what the process holds after some of them.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
from PIL import Image
from transfer_cases import CASES, CLASSES, build_model, train_by_the_package

from tl_keras.config import CacheConfig

COUNTS = (128, 512, 2048)
REPORTED_PHASES = (1, 2, 5, 10, 20)
MIN_EXAMPLES = 32


def resident_megabytes():
    """Returns what the process holds in memory now."""
    return psutil.Process().memory_info().rss / 1e6


def peak_megabytes():
    """Returns the most that the process ever held in memory."""
    # Linux counts it in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1e-6 if sys.platform == "darwin" else 1024e-6)


def draw_files(folder, count, size):
    """Writes images of noise; returns `ImageSplits` that reads them at each access."""
    from tl_keras import data

    generator, paths = np.random.default_rng(0), []
    for number in range(count):
        paths.append(str(folder / f"{number}.jpg"))
        Image.fromarray(generator.integers(0, 256, (size, size, 3), np.uint8)).save(paths[-1])
    names, labels = tuple(map(str, range(CLASSES))), generator.integers(0, CLASSES, count, np.int32)
    train = data.ImageSet(data.ImageFiles(paths, size), labels, [""] * count, names)
    first = data.ImageSet(data.ImageFiles(paths[:1], size), labels[:1], [""], names)
    return data.ImageSplits(train, first, first, names, [])


def prepare(case, count, folder):
    """Builds the model and the images, warm enough that what follows is the cache's own."""
    from tl_keras.system import devices

    devices.set_up(0, "float32")
    model = build_model(case)
    return model, draw_files(folder, count, case.image_size)


def measure(case, count):
    """Trains on `count` images in this process and returns a dict of what it took."""
    with tempfile.TemporaryDirectory() as folder:
        model, splits = prepare(case, count, Path(folder))
        from tl_keras import transfer

        compute, after_pass, before = transfer.FrozenPart.compute, {}, resident_megabytes()

        def watched(*arguments):
            started = time.process_time()
            found = compute(*arguments)
            after_pass["seconds"] = after_pass.get("seconds", 0.0) + time.process_time() - started
            after_pass["peak"] = peak_megabytes() - before
            return found

        started = time.process_time()
        cache = Path(folder) / "cache"
        with mock.patch.object(transfer.FrozenPart, "compute", watched):
            train_by_the_package(case, model, splits, CacheConfig(mode="on", folder=str(cache)))
        return {
            "pass": after_pass["seconds"],
            "all": time.process_time() - started,
            "disk": sum(path.stat().st_size for path in cache.glob("*.activations")) / 1e6,
            "peak of the pass": after_pass["peak"],
            "peak": peak_megabytes() - before,
            "before": before,
        }


def measure_phases(case, count, phases):
    """Trains many phases in one run and returns a dict from the number of a phase to MB held in memory after it."""
    blocks = case.blocks[: phases - 1] + (case.blocks[-1],) * (phases - len(case.blocks))
    case = replace(case, blocks=blocks, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        model, splits = prepare(case, count, Path(folder))
        import keras

        fit, held = keras.Model.fit, []

        def watched(*arguments, **options):
            history = fit(*arguments, **options)
            held.append(resident_megabytes())
            return history

        with mock.patch.object(keras.Model, "fit", watched):
            train_by_the_package(case, model, splits, CacheConfig(mode="on", folder=str(Path(folder) / "cache")))
    return dict(enumerate(held, start=1))


def measure_apart(*flags):
    """Runs this file with more flags in a process of its own and returns what it found."""
    command = [sys.executable, __file__, "--measure", *flags]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def print_growth(options):
    """Prints a line for each number of images."""
    print(
        "| images | pass, CPU s | ms an image | run, CPU s | disk, MB | KB an image | memory of pass, MB | of run, MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for count in options.examples or COUNTS:
        found = measure_apart("--case", options.case, "--examples", str(count))
        cells = (
            f"{found['pass']:.1f} | {1e3 * found['pass'] / count:.1f} | {found['all']:.1f} | {found['disk']:.1f}",
            f"{1e3 * found['disk'] / count:.1f} | {found['peak of the pass']:.0f} | {found['peak']:.0f}",
        )
        print(f"| {count} | {' | '.join(cells)} |", flush=True)


def print_phases(options):
    """Prints a line for some of the phases."""
    count = str((options.examples or COUNTS)[0])
    held = measure_apart("--case", options.case, "--examples", count, "--phases", str(options.phases))
    print("| after phase | memory, MB | more than after the first |\n|---|---|---|")
    for number in sorted({*REPORTED_PHASES, options.phases} & set(map(int, held))):
        print(f"| {number} | {held[str(number)]:.0f} | {held[str(number)] / held['1'] - 1:+.1%} |")


def main():
    """Measures growth with the examples, or with the phases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    images = [name for name, case in CASES.items() if case.image_size]
    parser.add_argument("--case", default="progressive, EfficientNet-Lite0 @128", choices=images)
    parser.add_argument("--examples", type=int, nargs="+", help="numbers of images (default: 128 512 2048)")
    parser.add_argument("--phases", type=int, help="one run of so many phases, on the first number of images")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if min(options.examples or COUNTS) < MIN_EXAMPLES:
        parser.error(f"--examples must be {MIN_EXAMPLES} or more")
    if not options.measure:
        print_phases(options) if options.phases else print_growth(options)
        return
    case, count = CASES[options.case], options.examples[0]
    print(json.dumps(measure_phases(case, count, options.phases) if options.phases else measure(case, count)))


if __name__ == "__main__":
    main()
