"""Checks the labels of a data set by heads on frozen features that have not learned from the checked example."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from tl_keras import probing
from tl_keras.data.records import SPLITS
from tl_keras.errors import InputError
from tl_keras.recipes import AUTO
from tl_keras.studies.backbone_probes import load_for_backbone
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import Examples, choose_input, solve_rows


@dataclass(frozen=True, eq=False)
class LabelCheck:
    """Holds all labelled examples and which labels are suspicious.

    Attributes:
        parts: dict from the name of a split to its part.
        splits: name of the split of each example, list of n str.
        cells: what names each example, list of n tuples of str.
        labels: int (n,).
        probabilities: float (n, num_classes), by heads that have not learned from the example.
        rows: int (m,), the suspicious examples, the most suspicious first.
        suggested: int (m,), the class suggested for each.
        class_names: names of the classes.
    """

    parts: dict
    splits: list
    cells: list
    labels: np.ndarray
    probabilities: np.ndarray
    rows: np.ndarray
    suggested: np.ndarray
    class_names: tuple

    @property
    def confusions(self):
        """List of ((label, suggested class), count) of the suspicious labels, the most frequent first."""
        names = self.class_names
        pairs = [(names[self.labels[row]], names[other]) for row, other in zip(self.rows, self.suggested, strict=True)]
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
    rows, suggested = probing.find_label_errors(probabilities, labels)
    names = [name for name, part in parts.items() for _ in task.example_labels(part)]
    cells = [cell for part in parts.values() for cell in task.example_cells(part)]
    return LabelCheck(parts, names, cells, labels, probabilities, rows, suggested, splits.class_names)


def _out_of_fold(config, reader, features, labels):
    """Computes the probabilities of each example by a head that has not learned from it."""
    every = np.arange(len(labels))
    examples = Examples(features, labels, probing.make_folds(labels, config.seed), every)
    if not examples.folds:
        raise InputError("No class has a second labelled example, so that no label can be checked by others.")
    _, best, chosen = choose_input(config, reader, examples)
    columns = reader.feature_set(chosen).columns
    # An example that is the only one of its class is held out in no fold, and keeps its label.
    probabilities, counts = np.zeros((len(labels), len(reader.class_names))), np.zeros((len(labels), 1))
    for train, held_out in probing.make_folds(labels, config.seed, every=True):
        head = solve_rows(config, reader, examples, train, chosen, best.inverse_penalty)
        probabilities[held_out] += head.probabilities(features[np.ix_(held_out, columns)])
        counts[held_out] += 1
    alone = counts[:, 0] == 0
    probabilities[alone, labels[alone]] = 1
    return probabilities / np.maximum(counts, 1)
