"""Where the time of a run on stored activations goes: `python benchmarks/transfer_floor.py --case NAME`.

One run of a case of `transfer_engine.py` is taken apart, in CPU seconds of all threads:

- prefix pass: computing the activations of all phases once, and storing them
- suffix steps: training on them, without the first step of each phase and without reading
- reading: going through the stored activations as often, without training
- tracing and compiling: the first step of each phase, and weighing the cache, which traces the frozen part
- the rest: validation on one example, audits, checkpoints, epochs and phases

The floor of a part is its floating-point operations, twice `count_multiply_adds`, divided by the rate of a large matrix
product on the same machine, also for each CPU second; a training step counts three times its forward pass. Convolutions
done by other algorithms than a matrix product can lie below it. Of a text every padded token counts; attention itself
does not.

The second table shows that the backward pass stops at the cut: a step of the suffix beside the step of the whole model
in which the same blocks learn, which has to compute the prefix, and beside that in which all learn.
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
    """Takes the time of the parts of a run.

    Attributes:
        seconds: dict from a part to its CPU seconds.
        suffixes: list of a dict for each phase: `model`, `examples` (trained on), `seconds` (CPU, all its steps but the
            first, without reading), `step_seconds` (of the last epoch, on average, reading included).
        measuring: CPU seconds that taking the time itself took.
    """

    def __init__(self, keras):
        """Takes Keras, whose `fit` is watched."""
        self.seconds, self.suffixes, self.measuring = Counter(), [], 0.0
        self._keras, self._fit = keras, keras.Model.fit

    def timed(self, part, method):
        """Wraps a method so that its time counts as that part."""

        def call(*arguments):
            started = time.process_time()
            found = method(*arguments)
            self.seconds[part] += time.process_time() - started
            return found

        return call

    def watched_fit(self):
        """Wraps `fit` so that its steps are counted, and so is reading its data without them."""

        def fit(model, callbacks, x, steps_per_epoch, initial_epoch, epochs, **options):
            clock = step_clock(self._keras)
            shape = {"steps_per_epoch": steps_per_epoch, "initial_epoch": initial_epoch, "epochs": epochs}
            history = self._fit(model, x=x, callbacks=[*callbacks, clock], **shape, **options)
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
    """Makes a callback that lists the CPU seconds of every step, from the end of the one before it in an epoch."""

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
    """Returns the floating-point operations of a large matrix product in a CPU second, the best of a few."""
    import tensorflow as tf

    one, other = (tf.cast(tf.random.normal([GEMM_SIDE, GEMM_SIDE]), dtype) for _ in range(2))
    seconds = []
    for _ in range(GEMM_REPEATS):
        started = time.process_time()
        tf.linalg.matmul(one, other).numpy()
        seconds.append(time.process_time() - started)
    return 2 * GEMM_SIDE**3 / min(seconds)


def take_apart(case, model, splits):
    """Trains a case; returns its `Parts` and the CPU seconds of all."""
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
    """Returns the padded tokens of an example on average, which `count_multiply_adds` takes for one; 1 for images."""
    from tl_keras import data

    if case.network != BERT:
        return 1
    shapes = data.batch_shapes(splits.train, BATCH_SIZE)
    return sum(batch * length * count for (batch, length), count in shapes.items()) / len(splits.train)


def whole_step_seconds(case, model, splits, train):
    """Returns the CPU seconds of a training step of the whole model, on average over its second epoch."""
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
    """Prints what each part took, and its floor where arithmetic is what it does."""
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
    """Prints the step of each suffix beside those of the whole model."""
    everything = whole_step_seconds(case, model, splits, "all")
    print("\n| a step, CPU ms | the suffix | the whole model, the same blocks learn | the whole model, all learn |")
    print("|---|---|---|---|")
    for number, (block, suffix) in enumerate(zip(case.blocks, parts.suffixes, strict=True), start=1):
        seconds = suffix["step_seconds"], whole_step_seconds(case, model, splits, block), everything
        print(f"| phase {number} ({block}) | {' | '.join(f'{1e3 * value:,.1f}' for value in seconds)} |", flush=True)


def main():
    """Takes one case apart and prints two tables."""
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
    parts, total = take_apart(case, model, splits)
    print(f"\n{options.case}, {options.examples} examples, {options.precision}")
    print(f"rate of a matrix product: {rate / 1e9:,.0f} GFLOP in a CPU second")
    print_parts(case, model, splits, parts, total, rate)
    print_steps(case, model, splits, parts)


if __name__ == "__main__":
    main()
