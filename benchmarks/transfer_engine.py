"""Measures the savings of the activation cache: `python benchmarks/transfer_engine.py`.

Each case is trained by the recipe of the Keras guide (https://keras.io/guides/transfer_learning: freeze, compile and
fit once for each phase; float32) and by this package in float32 and in mixed_bfloat16 (weights stay float32). A single
forward pass in float32 is the lower bound, because every way computes the frozen blocks at least once. All ways run in
alternating processes; the table shows medians.

The unit is CPU time of all threads for training, including tracing, compiling and reading, but without imports, model
building and drawing the examples. The package does everything that a run does: it estimates the benefit of its cache,
audits the frozen weights and writes a checkpoint after each epoch. All ways train on the same examples in batches of
32, with the same padding of texts, and validate on one example. Images, texts and weights are random, which does not
change the arithmetic.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import numpy as np
from transfer_cases import BATCH_SIZE, BERT, CASES, CLASSES, build_model, make_splits, train_by_the_package

GUIDE, PACKAGE, PACKAGE_BFLOAT16, FORWARD = "Keras guide", "tl_keras", "tl_keras, bfloat16", "one forward pass"


def train_by_the_guide(case, model, splits):
    """Freezes, compiles and fits once for each phase, as the Keras guide does."""
    import keras

    import tl_keras as tl

    inputs = guide_inputs(case, splits)
    for block in case.blocks:
        tl.freeze_to(model, block)
        model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy", metrics=["accuracy"])
        model.fit(**inputs, epochs=case.epochs, verbose=0)


def guide_inputs(case, splits):
    """Prepares the arguments of `fit`: arrays, or padded batches of texts of similar length."""
    from tl_keras import data

    if case.network == BERT:
        return {
            "x": data.make_token_dataset(splits.train, BATCH_SIZE, shuffle_seed=0),
            "steps_per_epoch": data.token_steps_per_epoch(splits.train, BATCH_SIZE),
            "validation_data": data.make_token_dataset(splits.validation, BATCH_SIZE),
        }
    train, labels = splits.train, np.eye(CLASSES, dtype="float32")[splits.train.labels]
    return {"x": train.images, "y": labels, "batch_size": BATCH_SIZE, "validation_data": (train.images[:1], labels[:1])}


def pass_forward(case, model, splits):
    """Computes the predictions of all training examples once."""
    from tl_keras import data

    if case.network == BERT:
        model.predict(data.make_token_dataset(splits.train, BATCH_SIZE), verbose=0)
    else:
        model.predict(splits.train.images, batch_size=BATCH_SIZE, verbose=0)


WAYS = {
    GUIDE: (train_by_the_guide, "float32"),
    PACKAGE: (train_by_the_package, "float32"),
    PACKAGE_BFLOAT16: (train_by_the_package, "mixed_bfloat16"),
    FORWARD: (pass_forward, "float32"),
}
"""Function and precision, by name."""


def measure(case, way, count):
    """Measures the CPU seconds of one way of a case in this process."""
    from tl_keras.system import devices

    run, precision = WAYS[way]
    devices.set_up(0, precision)
    model, splits = build_model(case), make_splits(case, count)
    started = time.process_time()
    run(case, model, splits)
    return time.process_time() - started


def measure_in_process(name, way, count):
    """Measures the CPU seconds of one way of a case in a new process."""
    command = [sys.executable, __file__, "--case", name, "--way", way, "--examples", str(count)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def row(name, seconds):
    """Formats the medians of a case and their ratios."""
    guide, package, bfloat16, forward = (statistics.median(seconds[way]) for way in WAYS)
    cells = [f"{value:.1f}" for value in (guide, package, bfloat16, forward, guide / package, guide / bfloat16)]
    return f"| {name} | {' | '.join(cells)} | {package / forward:.2f} |"


def main():
    """Measures the cases and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=CASES, help="only this case; may be repeated")
    parser.add_argument("--examples", type=int, default=512, help="number of images or texts (default: 512)")
    parser.add_argument("--repeats", type=int, default=2, help="number of rounds (default: 2)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(CASES[options.case[0]], options.way, options.examples)))
        return
    heads = [*WAYS, "guide / tl_keras", "guide / bfloat16", "tl_keras / forward pass"]
    print(f"| CPU seconds | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name in options.case or CASES:
        seconds = {way: [] for way in WAYS}
        for _ in range(options.repeats):
            for way in WAYS:
                seconds[way].append(measure_in_process(name, way, options.examples))
        print(row(name, seconds), flush=True)


if __name__ == "__main__":
    main()
