"""Chooses which examples of an unlabelled pool to label next, on the stored features of a frozen network."""

from dataclasses import dataclass

import numpy as np

from tl_keras import data, probing
from tl_keras.data.records import SPLITS, Splits
from tl_keras.data.texts.duplicates import text_key
from tl_keras.errors import InputError
from tl_keras.studies.backbone_probes import load_for_backbone
from tl_keras.studies.pool_features import read_pool
from tl_keras.tasks.registry import TASKS

PLACEHOLDERS = ("class 1", "class 2")
"""Classes of the network whose features are read where no label is known."""


@dataclass(frozen=True, eq=False)
class NextLabels:
    """Holds the chosen examples, the most useful first.

    Attributes:
        records: `Records` of the k chosen examples.
        images: list of their images, uint8 (height, width, 3) each; empty for texts.
        probabilities: float (k, num_classes), by a head on the labelled examples; None where no label is known.
        class_names: names of the classes; empty where no label is known.
        pool_size: number of examples of the pool that can be read.
        labelled: number of them that are labelled already, or equal another example of the pool.
        skipped: list of (name, reason) of the files that were left out.
    """

    records: data.Records
    images: list
    probabilities: np.ndarray | None
    class_names: tuple
    pool_size: int
    labelled: int
    skipped: list


def choose_next(config, pool, count, has_labels):
    """Chooses examples of a pool to label next.

    Args:
        config: `RunConfig` with recipe "auto"; its `data.path` is read only if there are labels.
        pool: `Pool` of the unlabelled examples.
        count: number of examples to choose, at least 1.
        has_labels: whether `data.path` holds labelled examples.

    Returns:
        `NextLabels`: without labels typical examples of clusters, see `probing.select_typical`, else diverse ones that
        a head on the labelled examples is uncertain about, see `probing.select_uncertain`.

    Raises:
        InputError: the data or the pool cannot be used, or the pool has fewer new examples.
    """
    task = TASKS[config.task]
    found = pool.records
    config, splits = _load_labelled(config) if has_labels else (config, None)
    parts = [part for part in (getattr(splits, name, ()) for name in SPLITS) if len(part)]
    image_size = splits.train.images[0].shape[0] if hasattr(getattr(splits, "train", None), "images") else None
    loaded, skipped = task.load_pool(config, found, image_size)
    if not len(loaded):
        raise InputError(
            f"No example of the pool {str(pool.path)!r} can be read: {data.first_of(map(': '.join, skipped))}."
        )
    names, rows = _names(loaded), _new_rows(loaded, parts)
    if not len(rows):
        raise InputError(f"Every example of the pool {str(pool.path)!r} is labelled already: give --pool other ones.")
    pool.require(count, len(rows), " that are not labelled and differ")
    splits = splits or Splits(loaded, loaded, loaded, PLACEHOLDERS)
    labelled = [(part, task.example_labels(part)) for part in parts]
    read = read_pool(config, splits, labelled, loaded, rows)
    chosen = _select(read, count, config.seed)
    places = {name: place for place, name in enumerate(found.names)}
    return NextLabels(
        found.take([places[names[row]] for row in rows[chosen]]),
        [loaded.images[row] for row in rows[chosen]] if hasattr(loaded, "images") else [],
        read.probabilities[chosen] if parts else None,
        splits.class_names if parts else (),
        len(names),
        len(names) - len(rows),
        skipped,
    )


def _load_labelled(config):
    splits = TASKS[config.task].load_data(config)
    print(TASKS[config.task].describe(config, splits), flush=True)
    return load_for_backbone(config, splits)


def _select(read, count, seed):
    if read.probabilities is None:
        return probing.select_typical(read.points, count, None, seed)
    return probing.select_uncertain(read.points, read.probabilities, count, read.known, seed)


def _new_rows(pool, parts):
    """Returns the examples of a pool, int (k,), that no part holds, the first of those that are equal."""
    seen, rows = {key for part in parts for key in _keys(part)}, []
    for row, key in enumerate(_keys(pool)):
        if key not in seen:
            seen.add(key)
            rows.append(row)
    return np.array(rows, int)


def _keys(part):
    """Returns what equal examples share, one key for each example."""
    if hasattr(part, "images"):
        return probing.example_digests(part)
    return [text_key(part.texts[row]) for row in part.first_rows]


def _names(part):
    return part.names if hasattr(part, "images") else [part.names[row] for row in part.first_rows]
