"""Measures what a backbone offers to a data set, by heads on its frozen features, without training it."""

import functools
import time
from dataclasses import dataclass

import numpy as np

from tl_keras import evaluation, probing
from tl_keras.config.derived import derive
from tl_keras.data.records import SPLITS
from tl_keras.errors import InputError
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader, HeadInput
from tl_keras.training.automatic.solved_head import Examples, collect_examples, measure

TIMED_EXAMPLES = 32
BLOCK_FOLDS = 2
LABELLED = ("train", "validation")
"""Splits that heads learn from or are held out; the test examples choose nothing."""
BYTES = 4


@dataclass(frozen=True, eq=False)
class BackboneProbe:
    """Holds what was measured on one backbone.

    Attributes:
        name: value of `model.backbone`.
        image_size: side of the images in pixels; None for texts.
        held_out: `probing.HeldOut` of a head on all blocks.
        metrics: dict of its metrics on the held-out examples, with intervals.
        neighbour_accuracy: share of held-out examples that their nearest neighbours classify; None for multi-label.
        milliseconds: CPU milliseconds of a forward pass of one example.
        parameters: number of weights.
        activation_bytes: bytes of all activations of one example, in float32; None where texts differ in length.
    """

    name: str
    image_size: int | None
    held_out: probing.HeldOut
    metrics: dict
    neighbour_accuracy: float | None
    milliseconds: float
    parameters: int
    activation_bytes: int | None


def probe_backbone(config, splits):
    """Solves heads on the frozen features of a backbone, and measures them on held-out examples.

    Args:
        config: `RunConfig` with recipe "auto" and this backbone.
        splits: what the task's `load_data` returned for it.

    Returns:
        Tuple of the `BackboneProbe`, and a function without arguments that measures heads on single blocks: it returns
        a dict from block to the log-loss of each held-out example, float64 (m,), input side first.

    Raises:
        InputError: no class has a second example, or the weights cannot be read.
    """
    image_size = config.data.image_size
    reader = FeatureReader(config, splits)
    examples = collect_examples(config, reader, splits)
    if not examples.folds:
        raise InputError("No class has a second labelled example, so that none can be held out: label some more.")
    # The widest input alone: auto's choice among inputs takes four times as long, and blurs the order of backbones by
    # the standard error that it grants to simpler ones.
    held_out = measure(config, reader, examples, reader.inputs[-1])
    network = reader.network
    labels, multi_label = examples.labels[held_out.rows], config.data.multi_label
    last = examples.features[:, reader.last_block_columns]
    probe = BackboneProbe(
        config.model.backbone,
        image_size,
        held_out,
        evaluation.metrics_with_intervals(labels, held_out.probabilities, splits.class_names, multi_label),
        None if multi_label else probing.neighbour_accuracy(last, examples.labels, examples.folds),
        1000 * cpu_seconds(config, reader, splits),
        network.count_params(),
        _activation_bytes(network),
    )
    return probe, functools.partial(_block_losses, config, reader, examples)


def _block_losses(config, reader, examples):
    """Measures a head on each block alone, on few folds: blocks differ by more than backbones."""
    first = Examples(examples.features, examples.labels, examples.folds[:BLOCK_FOLDS], examples.fit_rows)
    pooling = reader.inputs[0].pooling
    return {
        block: measure(config, reader, first, HeadInput(block, (block,), pooling)).losses for block in reader.blocks
    }


def cpu_seconds(config, reader, splits):
    """Measures the CPU seconds of a forward pass of an example, up to the head.

    The pass that computed the features was measured; if all were stored, a few examples pass once more.

    Args:
        config: `RunConfig`.
        reader: `FeatureReader`.
        splits: what the task's `load_data` returned.

    Returns:
        float.
    """
    if (measured := reader.cpu_seconds_per_example) is not None:
        return measured
    source, _ = TASKS[config.task].activation_sources(config, splits)
    return reader.measure_seconds(source.sample(TIMED_EXAMPLES), time.process_time)


def _activation_bytes(network):
    shapes = [operation.output.shape[1:] for operation in network.operations if hasattr(operation.output, "shape")]
    if any(side is None for shape in shapes for side in shape):
        return None
    return BYTES * sum(int(np.prod(shape)) for shape in shapes)


def load_for_backbone(config, splits, names=SPLITS):
    """Loads the data as a backbone reads them best: images at the size that it was trained at.

    Args:
        config: `RunConfig` with this backbone.
        splits: what the task's `load_data` returned for any backbone.
        names: splits whose images are needed; where images are decoded for this backbone, the others stay empty.

    Returns:
        Tuple of the `RunConfig` with the image size, and the splits.
    """
    task = TASKS[config.task]
    sizes = task.candidate_sizes(config, splits)
    if not sizes:
        # Images of a given size are the same for every backbone.
        return config, task.load_data(config) if config.data.image_size is None else splits
    sized = derive(config, data=derive(config.data, image_size=sizes[-1]))
    rows = np.concatenate([splits.records.rows(split) for split in names])
    return sized, task.load_resized(sized, splits, sizes[-1], rows)
