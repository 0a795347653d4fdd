"""Measures what a backbone offers to a data set, by heads on its frozen features, without training it."""

import functools
import time
from dataclasses import dataclass, replace

import numpy as np

from tl_keras import probing
from tl_keras.errors import InputError
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader, HeadInput
from tl_keras.training.automatic.solved_head import Examples, count_examples, measure, solve, take_examples, whole_texts

TIMED_EXAMPLES = 32
BLOCK_FOLDS = 2
BYTES = 4


@dataclass(frozen=True, eq=False)
class BackboneProbe:
    """Holds what was measured on one backbone.

    Attributes:
        name: value of `model.backbone`.
        image_size: side of the images in pixels; None for texts.
        held_out: `probing.HeldOut` of the head that recipe auto would choose.
        labels: int (m,), or multi-label (m, num_classes), of the held-out examples.
        neighbour_accuracy: share of held-out examples that their nearest neighbours classify; None for multi-label.
        milliseconds: CPU milliseconds of a forward pass of one example.
        parameters: number of weights.
        activation_bytes: bytes of all activations of one example, in float32; None where texts differ in length.
    """

    name: str
    image_size: int | None
    held_out: probing.HeldOut
    labels: np.ndarray
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
    solved = solve(config, splits, reader)
    if solved.held_out is None:
        raise InputError("No class has a second labelled example, so that none can be held out: label some more.")
    examples, network = solved.examples, reader.network
    last = examples.features[:, reader.last_block_columns]
    single_label = examples.labels.ndim == 1
    probe = BackboneProbe(
        config.model.backbone,
        image_size,
        solved.held_out,
        examples.labels[solved.held_out.rows],
        probing.neighbour_accuracy(last, examples.labels, examples.folds) if single_label else None,
        _milliseconds(config, network, splits.train),
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


def _milliseconds(config, network, part):
    """Measures the CPU time of an example; the first pass, which traces the network, does not count."""
    count = min(TIMED_EXAMPLES, count_examples(part))
    sample = whole_texts(take_examples(part, np.arange(count)))
    for _ in range(2):
        before = time.process_time()
        TASKS[config.task].predict(network, sample, config.data.batch_size)
        seconds = time.process_time() - before
    return 1000 * seconds / count


def _activation_bytes(network):
    shapes = [operation.output.shape[1:] for operation in network.operations if hasattr(operation.output, "shape")]
    if any(side is None for shape in shapes for side in shape):
        return None
    return BYTES * sum(int(np.prod(shape)) for shape in shapes)


def load_for_backbone(config, splits):
    """Loads the data as a backbone reads them best: images at the size that it was trained at.

    Args:
        config: `RunConfig` with this backbone.
        splits: what the task's `load_data` returned for any backbone.

    Returns:
        Tuple of the `RunConfig` with the image size, and the splits.
    """
    task = TASKS[config.task]
    sizes = task.candidate_sizes(config, splits)
    if not sizes:
        return config, task.load_data(config)
    sized = replace(config, data=replace(config.data, image_size=sizes[-1]))
    return sized, task.load_resized(sized, splits, sizes[-1])
