"""Measures the fixed costs of small jobs in CPU seconds: `python benchmarks/fixed_costs.py`.

The table has a column for each round, and a row for each of:

- one image, `model.predict` and `run.predict`: a call in a process that has made it before
- `python -m tl_keras.predict RUN one.png`: the whole process
- `python -m tl_keras.train` on 20 texts, head only: the whole process

CPU seconds grow on a machine that others use as well: compare what was measured at the same time.
"""

import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from child_seconds import child_seconds

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
CALLS = 20


def main():
    """Trains the run to predict with, measures all jobs and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        image, run, texts = write_image(folder), train_run(folder), write_texts(folder)
        predict = ["-m", "tl_keras.predict", str(run), str(image)]
        text = ["-m", "tl_keras.train", "--task", "text_classification", "--data.path", str(texts)]
        text += ["--phases", "{train: head, epochs: 2}"]
        found = {}
        for number in range(rounds):
            measured = call_seconds(run)
            measured["command predict"] = process_seconds(predict)
            measured["command train, 20 texts"] = process_seconds([*text, "--run", str(folder / f"texts-{number}")])
            for name, seconds in measured.items():
                found.setdefault(name, []).append(f"{seconds:.3f}")
        print("| CPU seconds |", " | ".join(f"round {number + 1}" for number in range(rounds)), "|")
        print("| --- |", " | ".join(["---"] * rounds), "|")
        for name, cells in found.items():
            print(f"| {name} |", " | ".join(cells), "|")


def write_image(folder):
    """Writes the image that is predicted, and returns its path."""
    from PIL import Image

    path = folder / "one.png"
    Image.new("RGB", (128, 128), (200, 60, 60)).save(path)
    return path


def train_run(folder):
    """Trains a head on the features of EfficientNet-Lite0 and returns the run folder."""
    from tl_keras import train

    flags = ["--data.path", "emoji", "--data.image_size", "128", "--data.examples_per_class", "4"]
    flags += ["--phases", "{train: head}", "--run", str(folder / "run")]
    with contextlib.redirect_stdout(io.StringIO()):
        train.main(flags)
    return folder / "run"


def write_texts(folder):
    """Writes 20 texts of two classes and returns the path of the table."""
    kinds = (("great fun", "yes"), ("dull and long", "no"))
    rows = [f"film number {number} is {words} to watch,{label}" for number in range(10) for words, label in kinds]
    path = folder / "texts.csv"
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return path


def call_seconds(folder):
    """Measures both ways to predict an image; returns a dict from their names to CPU seconds of a call."""
    import numpy as np

    from tl_keras import load_run

    run = load_run(folder)
    image = np.full((1, 128, 128, 3), 100, "uint8")
    ways = {
        "model.predict": lambda: run.model.predict(image, verbose=0),
        "run.predict": lambda: run.predict(image),
    }
    seconds = {}
    for name, call in ways.items():
        call()
        started = time.process_time()
        for _ in range(CALLS):
            call()
        seconds[name] = (time.process_time() - started) / CALLS
    return seconds


def process_seconds(arguments):
    """Runs Python with arguments and returns the CPU seconds of the process."""
    before = child_seconds()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
    return child_seconds() - before


if __name__ == "__main__":
    main()
