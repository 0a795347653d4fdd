"""Checks the labels of a data set by heads on frozen features that have not learned from the checked example."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from tl_keras import probing
from tl_keras.data.records import SPLITS
from tl_keras.errors import InputError
from tl_keras.probing.label_errors import LabelErrors
from tl_keras.recipes import AUTO
from tl_keras.studies.backbone_probes import load_for_backbone
from tl_keras.studies.pool_features import Projection
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import Examples, choose_input


@dataclass(frozen=True, eq=False)
class LabelCheck:
    """Holds all labelled examples and which labels are suspicious.

    Attributes:
        parts: dict from the name of a split to its part.
        splits: name of the split of each example, list of n str.
        cells: what names each example, list of n tuples of str.
        labels: int (n,).
        probabilities: float (n, num_classes), by heads that have not learned from the example.
        errors: `LabelErrors`.
        class_names: names of the classes.
        near_duplicates: list of (row, other row) of examples that are nearly equal.
        far: int (k,), examples far from all others, the farthest first.
        inseparable: list of (class, other class, share), see `probing.inseparable_classes`.
    """

    parts: dict
    splits: list
    cells: list
    labels: np.ndarray
    probabilities: np.ndarray
    errors: LabelErrors
    class_names: tuple
    near_duplicates: list = ()
    far: np.ndarray = ()
    inseparable: list = ()

    @property
    def confusions(self):
        """List of ((label, suggested class), count) of the suspicious labels, the most frequent first."""
        names, errors = self.class_names, self.errors
        pairs = zip(self.labels[errors.rows], errors.suggested, strict=True)
        pairs = [(names[label], names[other]) for label, other in pairs]
        return Counter(pairs).most_common()


def check_labels(config):
    """Finds suspicious labels in all splits of a data set.

    Args:
        config: `RunConfig` with recipe "auto".

    Returns:
        `LabelCheck`.

    Raises:
        InputError: the data cannot be used, have several labels an example, or no class has a second example.
    """
    if config.recipe != AUTO:
        raise InputError(f"label check trains no network, but the recipe is {config.recipe}: leave it out.")
    if config.data.multi_label:
        raise InputError("label check needs one label per example, but data.multi_label is true.")
    task = TASKS[config.task]
    splits = task.load_data(config)
    print(task.describe(config, splits), flush=True)
    config, splits = load_for_backbone(config, splits)
    parts = {name: part for name in SPLITS if len(part := getattr(splits, name))}
    reader = FeatureReader(config, splits)
    features = np.concatenate([reader.read(part) for part in parts.values()])
    labels = np.concatenate([task.example_labels(part) for part in parts.values()])
    probabilities = _out_of_fold(config, reader, features, labels)
    errors = probing.find_label_errors(probabilities, labels)
    names = [name for name, part in parts.items() for _ in task.example_labels(part)]
    cells = [cell for part in parts.values() for cell in task.example_cells(part)]
    near_duplicates, far = probing.compare_all(Projection(reader, features, config.seed)(features))
    inseparable = probing.inseparable_classes(probabilities, labels)
    return LabelCheck(
        parts, names, cells, labels, probabilities, errors, splits.class_names, near_duplicates, far, inseparable
    )


def _out_of_fold(config, reader, features, labels):
    """Computes the probabilities of each example by a head that has not learned from it."""
    every = np.arange(len(labels))
    examples = Examples(features, labels, probing.make_folds(labels, config.seed), every)
    if not examples.folds:
        raise InputError("No class has a second labelled example, so that no label can be checked by others.")
    _, best, chosen = choose_input(config, reader, examples)
    with threadpool_limits(1):
        return probing.out_of_fold_probabilities(
            features,
            labels,
            len(reader.class_names),
            reader.feature_set(chosen),
            best.inverse_penalty,
            probing.make_folds(labels, config.seed, every=True),
            None if config.data.class_weight == "none" else config.data.class_weight,
        )
