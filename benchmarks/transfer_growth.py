"""Measures the growth of time, disk and memory with examples and phases: `python benchmarks/transfer_growth.py`.

Activations are cached on disk in a temporary folder, and images are JPEG files that are read when needed, so that
neither is kept in memory. Each number of images is trained in a new process. The table shows:

- pass, CPU s: reading the images, and computing and storing the activations of all phases
- disk, MB: size of the stored activations
- memory, MB: peak memory of the process until the end of the pass and until the end of training, minus its memory after
  the model was built; pages of mapped files count

`--phases 20` trains one run of 20 phases of one epoch and prints the memory of the process after some of them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
from peak_memory import peak_megabytes
from PIL import Image
from transfer_cases import CASES, CLASSES, build_model, train_by_the_package

from tl_keras.config import CacheConfig

COUNTS = (128, 512, 2048)
REPORTED_PHASES = (1, 2, 5, 10, 20)
MIN_EXAMPLES = 32


def resident_megabytes():
    """Returns the current memory of the process."""
    return psutil.Process().memory_info().rss / 1e6


def draw_files(folder, count, size):
    """Writes random images and returns `Splits` that read them at each access."""
    from tl_keras import data

    generator, paths = np.random.default_rng(0), []
    for number in range(count):
        paths.append(str(folder / f"{number}.jpg"))
        Image.fromarray(generator.integers(0, 256, (size, size, 3), np.uint8)).save(paths[-1])
    names, labels = tuple(map(str, range(CLASSES))), generator.integers(0, CLASSES, count, np.int32)
    train = data.ImageSet(data.ImageFiles(paths, size), labels, [""] * count, names)
    first = data.ImageSet(data.ImageFiles(paths[:1], size), labels[:1], [""], names)
    return data.Splits(train, first, first, names, [])


def prepare(case, count, folder):
    """Builds the model and the images, so that later growth of memory is due to the cache."""
    from tl_keras.system import devices

    devices.set_up(0, "float32")
    model = build_model(case)
    return model, draw_files(folder, count, case.image_size)


def measure(case, count):
    """Trains on `count` images in this process and returns a dict of time, disk and memory."""
    with tempfile.TemporaryDirectory() as folder:
        model, splits = prepare(case, count, Path(folder))
        from tl_keras import transfer

        compute, after_pass, before = transfer.FrozenPart.compute, {}, resident_megabytes()

        def watched(*arguments):
            started = time.process_time()
            result = compute(*arguments)
            after_pass["seconds"] = after_pass.get("seconds", 0.0) + time.process_time() - started
            after_pass["peak"] = peak_megabytes() - before
            return result

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
    """Trains many phases in one run and returns a dict from the number of a phase to the memory after it, in MB."""
    blocks = case.blocks[: phases - 1] + (case.blocks[-1],) * (phases - len(case.blocks))
    case = replace(case, blocks=blocks, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        model, splits = prepare(case, count, Path(folder))
        import keras

        fit, megabytes = keras.Model.fit, []

        def watched(*arguments, **options):
            history = fit(*arguments, **options)
            megabytes.append(resident_megabytes())
            return history

        with mock.patch.object(keras.Model, "fit", watched):
            train_by_the_package(case, model, splits, CacheConfig(mode="on", folder=str(Path(folder) / "cache")))
    return dict(enumerate(megabytes, start=1))


def measure_in_process(*flags):
    """Runs this file with more flags in a new process and returns its result."""
    command = [sys.executable, __file__, "--measure", *flags]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def print_growth(options):
    """Prints a row for each number of images."""
    print(
        "| images | pass, CPU s | ms / image | run, CPU s | disk, MB | KB / image | memory of pass, MB | of run, MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for count in options.examples or COUNTS:
        result = measure_in_process("--case", options.case, "--examples", str(count))
        cells = (
            f"{result['pass']:.1f} | {1e3 * result['pass'] / count:.1f} | {result['all']:.1f} | {result['disk']:.1f}",
            f"{1e3 * result['disk'] / count:.1f} | {result['peak of the pass']:.0f} | {result['peak']:.0f}",
        )
        print(f"| {count} | {' | '.join(cells)} |", flush=True)


def print_phases(options):
    """Prints a row for some of the phases."""
    count = str((options.examples or COUNTS)[0])
    memory = measure_in_process("--case", options.case, "--examples", count, "--phases", str(options.phases))
    print("| after phase | memory, MB | growth since the first |\n|---|---|---|")
    for number in sorted({*REPORTED_PHASES, options.phases} & set(map(int, memory))):
        print(f"| {number} | {memory[str(number)]:.0f} | {memory[str(number)] / memory['1'] - 1:+.1%} |")


def main():
    """Measures growth with the examples or with the phases, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    images = [name for name, case in CASES.items() if case.image_size]
    parser.add_argument("--case", default="progressive, EfficientNet-Lite0 @128", choices=images)
    parser.add_argument("--examples", type=int, nargs="+", help="numbers of images (default: 128 512 2048)")
    parser.add_argument("--phases", type=int, help="number of phases of a single run on the first number of images")
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
