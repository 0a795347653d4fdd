"""Cells without pretrained weights: the strongest such model that can be trained in the time, not a straw man.

Images: a small residual network, see `build_small_network`, with augmentation; of a large network with random weights
few labels make less, at ten times the cost. Texts: TF-IDF and logistic regression, which beat an encoder with random
weights. `random_weights` is the network of the other methods with random weights.
"""

import math
from dataclasses import replace

import keras
import numpy as np

from tl_keras import data, evaluation, models
from tl_keras.data import ImageSet
from tl_keras.models.images.small_network import build_small_network
from tl_keras.runs.opening import scratch_run
from tl_keras.studies.comparison.meter import Meter
from tl_keras.studies.comparison.progress import OutOfTime
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting
from tl_keras.training.automatic.solved_head import take_examples
from tl_keras.training.building import build_model, choose_phases
from tl_keras.transfer.multiply_adds import count_multiply_adds

STEPS, RATE, WEIGHT_DECAY, WARMUP = 240, 3e-3, 0.01, 0.1
SIDE = 64
"""Side in pixels that larger images are averaged down to for the small network: a step takes a quarter of the time, and
few labels teach random weights nothing about finer details."""
RANDOM_EPOCHS, RANDOM_RATE = 20, 1e-3


class ScratchTrainer:
    """Trains without pretrained weights, again and again on other labels of the same data.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.
        limit: `TimeLimit` of the comparison.
    """

    def __init__(self, config, splits, limit):
        self._task, self._limit = TASKS[config.task], limit
        self._batch_size = config.data.batch_size
        self._train, self._test = splits.train, splits.test
        if isinstance(self._train, ImageSet):
            self._train, self._test = shrink(self._train), shrink(self._test)
            self._network = self._build(config.seed)
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, STEPS, warmup_target=RATE, warmup_steps=round(WARMUP * STEPS)
            )
            models.compile_classifier(self._network, keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY))
            self._network.optimizer.build(self._network.trainable_variables)

    def train(self, rows, seed):
        """Trains on some of the examples.

        Args:
            rows: int (k,), training examples.
            seed: int, for the initial weights and the order of the examples.

        Returns:
            Tuple of probabilities of the test examples, float (m, num_classes), and a dict of the other fields of
            `Result`.

        Raises:
            OutOfTime: the limit has passed.
        """
        part = take_examples(self._train, rows)
        return self._train_network(part, seed) if isinstance(part, ImageSet) else self._train_tfidf(part)

    def _train_tfidf(self, part):
        meter = Meter()
        texts = [[one.texts[row] for row in one.first_rows] for one in (part, self._test)]
        labels = [self._task.example_labels(one) for one in (part, self._test)]
        names = part.class_names
        baseline = evaluation.tfidf_baseline(texts[0], labels[0], texts[1], labels[1], names)
        baseline = baseline or evaluation.majority_baseline(*labels, names)
        return baseline.probabilities, {"steps": 0, "multiply_adds": None, **meter.costs()}

    def _train_network(self, part, seed):
        meter, network = Meter(), self._network
        # Not a new network for each cell, since tracing it takes as long as half of the training.
        for variable, initial in zip(network.variables, self._build(seed).variables, strict=True):
            variable.assign(initial)
        for variable in network.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        batches = data.make_dataset(part, self._batch_size, shuffle_seed=seed, augmentation="light")
        callback = _EndInTime(self._limit)
        with data.raise_input_errors():
            network.fit(batches, shuffle=False, steps_per_epoch=STEPS, epochs=1, verbose=0, callbacks=[callback])
        work = 3 * STEPS * self._batch_size * count_multiply_adds(network)
        costs = {"steps": STEPS, "multiply_adds": work, **meter.costs()}
        return self._task.predict(network, self._test, self._batch_size), costs

    def _build(self, seed):
        keras.utils.set_random_seed(seed)
        return build_small_network(len(self._train.class_names), self._train.images[0].shape[0])


def train_random_weights(config, splits, rows, limit):
    """Trains the whole network of the other methods from random weights.

    Args:
        config: `RunConfig` with the seed of the draw.
        splits: what the task's `load_data` returned.
        rows: int (k,), training examples.
        limit: `TimeLimit` of the comparison.

    Returns:
        As `ScratchTrainer.train`.

    Raises:
        OutOfTime: the limit has passed.
    """
    meter = Meter()
    part = take_examples(splits.train, rows)
    settings = replace(
        config,
        recipe="fine_tuning",
        refit=None,
        restore_best=False,
        max_time=None,
        unfreeze_from="all",
        epochs=RANDOM_EPOCHS,
        learning_rate=RANDOM_RATE,
        block_decay=1.0,
        model=replace(config.model, weights="none"),
        data=replace(config.data, augmentation=None, validation_fraction=None),
        batch_norm="train" if TASKS[config.task].has_batch_norm else "inference",
    )
    splits = replace(splits, train=part, validation=part.take(range(1)))
    model = build_model(settings, splits)
    phases = choose_phases(settings, model, len(part))
    with scratch_run() as run:
        history = fitting.fit_phases(settings, model, splits, phases, run, limit.left)
        if len(history["loss"]) < RANDOM_EPOCHS:
            raise OutOfTime
    steps = RANDOM_EPOCHS * math.ceil(len(part) / settings.data.batch_size)
    work = 3 * RANDOM_EPOCHS * len(part) * count_multiply_adds(model)
    probabilities = TASKS[config.task].predict(model, splits.test, settings.data.batch_size)
    return probabilities, {"steps": steps, "multiply_adds": work, **meter.costs()}


def shrink(image_set):
    """Averages images down to about `SIDE` pixels; smaller ones stay as they are.

    Args:
        image_set: `ImageSet` of square images.

    Returns:
        `ImageSet` of uint8 images in memory.
    """
    factor = round(image_set.images[0].shape[0] / SIDE)
    if factor < 2:
        return image_set
    images = np.stack([_average(image, factor) for image in image_set.images])
    return replace(image_set, images=images, digests=None)


def _average(image, factor):
    side = image.shape[0] // factor
    blocks = image[: side * factor, : side * factor].reshape(side, factor, side, factor, -1)
    return np.rint(blocks.mean(axis=(1, 3))).astype("uint8")


class _EndInTime(keras.callbacks.Callback):
    """Ends a training whose time has passed by an error."""

    def __init__(self, limit):
        super().__init__()
        self._limit = limit

    def on_train_batch_end(self, batch, logs=None):
        """See the class."""
        if self._limit.left == 0:
            raise OutOfTime
