"""Profiles a run on cached activations: `python benchmarks/transfer_floor.py --case NAME`.

The first table splits the CPU seconds (all threads) of a case of `transfer_engine.py` into parts:

- prefix pass: computing and storing the activations of all phases once
- suffix steps: training on them, without the first step of each phase and without reading
- reading: iterating over the cached activations the same number of times, without training
- tracing and compiling: the first step of each phase, and measuring the frozen part, which traces it
- the rest: validation on one example, audits, checkpoints, start and end of epochs and phases

The floor of a part is its number of floating-point operations, twice `count_multiply_adds`, divided by the rate of a
large matrix product per CPU second on the same machine. A training step counts three times its forward pass.
Convolution algorithms other than matrix products can be below the floor. All padded tokens of a text count; attention
itself does not.

The second table shows that the backward pass stops at the cut. It compares a step of the suffix with a step of the
whole model with the same trainable blocks, which has to compute the prefix, and with a step that trains all blocks.
"""

import argparse
import time
from collections import Counter
from unittest import mock

import numpy as np
from transfer_cases import BATCH_SIZE, BERT, CASES, build_model, make_config, make_splits, train_by_the_package

GEMM_SIDE, GEMM_REPEATS = 2048, 8
WHOLE_STEPS = 8
PASS, READING, TRACING = "prefix pass", "reading", "tracing and compiling"


class Parts:
    """Clock of the parts of a run.

    Attributes:
        seconds: dict from a part to its CPU seconds.
        suffixes: list of a dict for each phase: `model`, `examples` (number of training examples), `seconds` (CPU
            seconds of all steps but the first, without reading), `step_seconds` (mean of the last epoch, with reading).
        measuring: CPU seconds of the measurement itself.
    """

    def __init__(self, keras):
        """Stores the `keras` module, whose `fit` is measured."""
        self.seconds, self.suffixes, self.measuring = Counter(), [], 0.0
        self._keras, self._fit = keras, keras.Model.fit

    def timed(self, part, method):
        """Wraps a method so that its time counts for a part."""

        def call(*arguments):
            started = time.process_time()
            result = method(*arguments)
            self.seconds[part] += time.process_time() - started
            return result

        return call

    def watched_fit(self):
        """Wraps `fit` so that its steps are timed, and reading its data without them, too."""

        def fit(model, callbacks, x, steps_per_epoch, initial_epoch, epochs, **options):
            clock = step_clock(self._keras)
            shape = {"steps_per_epoch": steps_per_epoch, "initial_epoch": initial_epoch, "epochs": epochs}
            callbacks.callbacks.append(clock)
            history = self._fit(model, x=x, callbacks=callbacks, **shape, **options)
            started, count = time.process_time(), 0
            for _, labels in x.take(len(clock.steps)):
                count += len(labels)
            reading = time.process_time() - started
            self.measuring += reading
            usual = float(np.mean(clock.steps[1:] or clock.steps))
            self.seconds[READING] += reading
            self.seconds[TRACING] += clock.steps[0] - usual
            self.suffixes.append(
                {
                    "model": model,
                    "examples": count,
                    "seconds": sum(clock.steps[1:]) + usual - reading,
                    "step_seconds": float(np.mean(clock.steps[-steps_per_epoch:])),
                }
            )
            return history

        return fit


def step_clock(keras):
    """Makes a callback that lists the CPU seconds of every step, counted from the end of the step before."""

    class StepClock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.steps = []

        def on_epoch_begin(self, epoch, logs=None):
            self._started = time.process_time()

        def on_train_batch_end(self, batch, logs=None):
            now = time.process_time()
            self.steps.append(now - self._started)
            self._started = now

    return StepClock()


def measure_gemm_rate(dtype):
    """Measures the floating-point operations per CPU second of a large matrix product, the best of a few."""
    import tensorflow as tf

    one, other = (tf.cast(tf.random.normal([GEMM_SIDE, GEMM_SIDE]), dtype) for _ in range(2))
    seconds = []
    for _ in range(GEMM_REPEATS):
        started = time.process_time()
        tf.linalg.matmul(one, other).numpy()
        seconds.append(time.process_time() - started)
    return 2 * GEMM_SIDE**3 / min(seconds)


def profile_run(case, model, splits):
    """Trains a case and returns its `Parts` and the total of CPU seconds."""
    import keras

    from tl_keras import transfer

    parts, part = Parts(keras), transfer.FrozenPart
    with (
        mock.patch.object(part, "measure_seconds", parts.timed(TRACING, part.measure_seconds)),
        mock.patch.object(part, "compute", parts.timed(PASS, part.compute)),
        mock.patch.object(keras.Model, "fit", parts.watched_fit()),
    ):
        started = time.process_time()
        train_by_the_package(case, model, splits)
        total = time.process_time() - started
    return parts, total - parts.measuring


def tokens_per_text(case, splits):
    """Returns the mean number of padded tokens per text, of which `count_multiply_adds` counts one; 1 for images."""
    from tl_keras import data

    if case.network != BERT:
        return 1
    shapes = data.batch_shapes(splits.train, BATCH_SIZE)
    return sum(batch * length * count for (batch, length), count in shapes.items()) / len(splits.train)


def whole_step_seconds(case, model, splits, train):
    """Measures the mean CPU seconds of a training step of the whole model, over its second epoch."""
    import keras

    import tl_keras as tl
    from tl_keras.config import CacheConfig
    from tl_keras.tasks.registry import TASKS

    config, clock = make_config(case, CacheConfig(mode="off")), step_clock(keras)
    inputs = TASKS[config.task].training_inputs(config, splits, 0)
    steps = min(WHOLE_STEPS, inputs["steps_per_epoch"])
    tl.freeze_to(model, train)
    TASKS[config.task].compile_model(config, model, tl.StagedAdamW())
    model.fit(inputs["x"], steps_per_epoch=steps, epochs=2, verbose=0, shuffle=False, callbacks=[clock])
    return float(np.mean(clock.steps[steps:]))


def print_parts(case, model, splits, parts, total, rate):
    """Prints the CPU seconds of each part, and the floor of arithmetic parts."""
    from tl_keras import transfer
    from tl_keras.transfer.activations.cuts import prefix_model
    from tl_keras.transfer.multiply_adds import count_multiply_adds

    positions = tokens_per_text(case, splits)
    cuts = list({id(cut): cut for cut in transfer.find_cuts_of_phases(model, case.phases) if cut is not None}.values())
    operations = 2 * positions * count_multiply_adds(prefix_model(model, cuts)) * (len(splits.train) + 1)
    rows = [(PASS, parts.seconds[PASS], operations)]
    for number, (block, suffix) in enumerate(zip(case.blocks, parts.suffixes, strict=True), start=1):
        forward = 2 * positions * count_multiply_adds(suffix["model"])
        rows.append((f"suffix steps, phase {number} ({block})", suffix["seconds"], 3 * forward * suffix["examples"]))
    rows += [(READING, parts.seconds[READING], None), (TRACING, parts.seconds[TRACING], None)]
    rows += [("the rest", total - sum(seconds for _, seconds, _ in rows), None), ("all", total, None)]
    print("\n| part | CPU s | share | GFLOP | floor, CPU s | part / floor |\n|---|---|---|---|---|---|")
    for name, seconds, operations in rows:
        floor = "| | |"
        if operations is not None:
            floor = f"| {operations / 1e9:,.1f} | {operations / rate:.2f} | {seconds * rate / operations:.2f} |"
        print(f"| {name} | {seconds:.2f} | {seconds / total:.1%} {floor}")


def print_steps(case, model, splits, parts):
    """Prints the time of a step of each suffix and of the whole model."""
    everything = whole_step_seconds(case, model, splits, "all")
    print("\n| CPU ms / step | suffix | whole model, same trainable blocks | whole model, all trainable |")
    print("|---|---|---|---|")
    for number, (block, suffix) in enumerate(zip(case.blocks, parts.suffixes, strict=True), start=1):
        seconds = suffix["step_seconds"], whole_step_seconds(case, model, splits, block), everything
        print(f"| phase {number} ({block}) | {' | '.join(f'{1e3 * value:,.1f}' for value in seconds)} |", flush=True)


def main():
    """Profiles a case and prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default="feature extraction, InceptionV3 @160", choices=CASES)
    parser.add_argument("--examples", type=int, default=512, help="number of images or texts (default: 512)")
    parser.add_argument("--precision", default="float32", choices=("float32", "mixed_bfloat16"))
    options = parser.parse_args()
    from tl_keras.system import devices

    devices.set_up(0, options.precision)
    case = CASES[options.case]
    rate = measure_gemm_rate("bfloat16" if options.precision == "mixed_bfloat16" else "float32")
    model, splits = build_model(case), make_splits(case, options.examples)
    parts, total = profile_run(case, model, splits)
    print(f"\n{options.case}, {options.examples} examples, {options.precision}")
    print(f"rate of a matrix product: {rate / 1e9:,.0f} GFLOP per CPU second")
    print_parts(case, model, splits, parts, total, rate)
    print_steps(case, model, splits, parts)


if __name__ == "__main__":
    main()
