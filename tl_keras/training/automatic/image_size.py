"""Chooses the image size of a run with recipe auto."""

from dataclasses import replace

import numpy as np

from tl_keras import probing
from tl_keras.config.derived import derive
from tl_keras.errors import counted
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import Examples, list_losses, measure

SIZE_SAMPLE = 300
"""Training images that image sizes are compared on."""


def choose_size(config, splits, limit):
    """Chooses the image size by the log-loss of heads over all blocks, on a sample of the training images.

    The smallest size is always tried. A larger one is not if computing the features of all images at this size would
    take longer than the time that is left.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.
        limit: `TimeLimit` of the run.

    Returns:
        Tuple of the size, a sentence on the decision, and the `FeatureReader` of this size. The size is None where
        images have none to choose, the others where nothing was compared.
    """
    task = TASKS[config.task]
    sizes = task.candidate_sizes(config, splits)
    if len(sizes) < 2:
        return (sizes[0] if sizes else None), None, None
    rows = splits.records.rows("train")
    rows = np.sort(np.random.default_rng(config.seed).permutation(rows)[:SIZE_SAMPLE])
    readers, results, left_out = [], [], ""
    for size in sizes:
        if readers and (left_out := _too_slow(readers[-1], sizes[len(readers) - 1], size, len(splits.records), limit)):
            break
        sized = derive(config, data=derive(config.data, image_size=size))
        sample = task.load_resized(sized, splits, size, rows).train
        folds = probing.make_folds(sample.labels, config.seed)
        if not folds:
            return sizes[-1], None, None
        reader = FeatureReader(sized, replace(splits, train=sample, validation=sample, test=sample))
        examples = Examples(reader.read(sample), sample.labels, folds, np.arange(len(sample)))
        results.append(measure(sized, reader, examples, reader.inputs[-1]))
        readers.append(reader)
    number = results.index(probing.choose(results))
    line = f"image size {sizes[number]}: {list_losses([f'{size} px' for size in sizes[: len(results)]], results)}"
    return sizes[number], line + left_out, readers[number]


def _too_slow(reader, size, larger, count, limit):
    """Returns the end of a sentence on why a larger size is left out; an empty text if there is time for it."""
    if limit.left is None or reader.seconds_per_example is None:
        return ""
    seconds = count * reader.seconds_per_example * (larger / size) ** 2
    if seconds <= limit.left:
        return ""
    return (
        f"; {larger} px and more are not tried: the features of {counted(count, 'image')} would take about "
        f"{seconds:.0f} s, and {limit.left:.0f} s of max_time are left"
    )
