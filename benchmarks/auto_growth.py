"""Measures how recipe auto grows with the number of labels: `python benchmarks/auto_growth.py`.

Images are the shipped emoji, each time rotated and moved on another grey; texts are two shipped sentences on products
of the same label. Each number of them is trained in a new process with `--max_time`, on one thread. The table shows:

- reading, s: until the data line is printed: listing, checking and decoding or tokenizing all examples
- all, s: until the process ends; max_time bounds the training, not the reading and the final evaluation
- memory, MB: peak memory of the process
- disk, MB: size of the stored features and activations
- accuracy on the test examples, with its interval
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from peak_memory import peak_megabytes
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

COUNTS = {"images": (2_000, 10_000, 50_000), "texts": (20_000, 100_000, 500_000)}
TASKS = {"images": "image_classification", "texts": "text_classification"}
SIDE = 64


def write_images(folder, count):
    """Writes images in class folders, and returns the path to train on."""
    from tl_keras.data.examples.catalogue import example_path

    generator, path = np.random.default_rng(0), folder / "images"
    sources = generator.permutation(sorted(example_path("emoji").glob("*/*.png")))
    emoji = [(source.parent.name, Image.open(source).convert("RGBA")) for source in sources]
    for name in {name for name, _ in emoji}:
        (path / name).mkdir(parents=True)
    for number in range(count):
        name, image = emoji[number % len(emoji)]
        grey = Image.new("RGBA", (SIDE, SIDE), (*[int(generator.integers(160, 256))] * 3, 255))
        turned = image.resize((SIDE, SIDE)).rotate(float(generator.uniform(-20, 20)), Image.Resampling.BILINEAR)
        grey.alpha_composite(turned, tuple(int(shift) for shift in generator.integers(0, 7, 2)))
        grey.convert("RGB").save(path / name / f"{number}.png", compress_level=1)
    return path


def write_texts(folder, count):
    """Writes a table of texts, and returns its path."""
    from tl_keras.data.examples.catalogue import example_path

    with open(example_path("reviews"), encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    by_label = {label: [text for text, other in rows if other == label] for label in sorted({row[1] for row in rows})}
    generator, path, written = np.random.default_rng(0), folder / "texts.csv", set()
    labels = list(by_label)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        while len(written) < count:
            label = labels[len(written) % len(labels)]
            pair = tuple(generator.integers(0, len(by_label[label]), 2))
            if (label, pair) not in written:
                written.add((label, pair))
                writer.writerow([" ".join(by_label[label][place] for place in pair), label])
    return path


def train(kind, path, folder, max_time):
    """Trains on the data in a new process.

    Args:
        kind: "images" or "texts".
        path: path of the data.
        folder: empty folder for the run and the cache.
        max_time: as `--max_time` takes it.

    Returns:
        Dict with "reading_seconds", "seconds", "megabytes", "disk_megabytes" and "metrics".
    """
    command = [sys.executable, "-u", "-m", "tl_keras.train", "--task", TASKS[kind], "--data.path", str(path)]
    command += ["--max_time", max_time, "--run", str(folder / "run"), "--cache.folder", str(folder / "cache")]
    started, reading = time.monotonic(), None
    environment = {"OMP_NUM_THREADS": "1"} | os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stdout:
            print(f"    {line}", end="", file=sys.stderr)
            if reading is None and " training, " in line:
                reading = time.monotonic() - started
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"The training on {path} ended with exit code {process.returncode}.")
    disk = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file())
    return {
        "reading_seconds": reading,
        "seconds": time.monotonic() - started,
        "megabytes": peak_megabytes(usage),
        "disk_megabytes": disk / 1e6,
        "metrics": json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8")),
    }


def format_row(kind, count, found):
    """Formats a row of the table."""
    low, high = found["metrics"]["intervals"]["accuracy"]
    accuracy = f"{found['metrics']['accuracy']:.3f} ({low:.3f} to {high:.3f})"
    numbers = (found[name] for name in ("reading_seconds", "seconds", "megabytes", "disk_megabytes"))
    return f"| {count:,} {kind} | {' | '.join(f'{number:,.0f}' for number in numbers)} | {accuracy} |"


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=COUNTS, default=list(COUNTS))
    parser.add_argument("--counts", nargs="+", type=int, help="numbers of examples, in place of the defaults")
    parser.add_argument("--max_time", default="2m")
    options = parser.parse_args()
    print(
        "| examples | reading, s | all, s | memory, MB | disk, MB | accuracy |\n| --- | --- | --- | --- | --- | --- |"
    )
    for kind in options.kinds:
        for count in options.counts or COUNTS[kind]:
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                path = (write_images if kind == "images" else write_texts)(folder, count)
                print(format_row(kind, count, train(kind, path, folder, options.max_time)), flush=True)


if __name__ == "__main__":
    main()
