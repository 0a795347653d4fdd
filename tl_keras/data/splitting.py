"""Which example is for training, which for validation, which for the test."""

from dataclasses import replace

import numpy as np

from tl_keras.data.wording import first_of
from tl_keras.errors import InputError


def split_records(records, *, validation_fraction=0.15, test_fraction=0.15, examples_per_class=None, seed=0):
    """Decides every split that the data do not decide themselves.

    Given splits stay; undecided rows count as "train". A split that nobody gave is carved out of "train", class by
    class: the fraction of each class, rounded, at least one where the class has three examples or more, and never
    the last training example of a class. The test examples depend on `test_fraction` and `seed` only, so that runs
    with other label budgets or validation sizes are tested on the same ones.

    Args:
        records: `Records`.
        validation_fraction: part of each class that becomes "validation" if no row is, 0 <= fraction < 1.
        test_fraction: part of each class that becomes "test" if no row is, 0 <= fraction < 1.
        examples_per_class: cuts "train" to this many examples of each class (multi-label: one is kept while one of
            its classes has fewer); None keeps all. What is cut away is in no split.
        seed: int, of the shuffling.

    Returns:
        New `Records`, in the old order, in which every split is decided.

    Raises:
        InputError: a fraction or a budget out of range, or a class that validation or test show and train does not.
    """
    _check_ranges(validation_fraction, test_fraction, examples_per_class)
    generator = np.random.default_rng(seed)
    splits = np.array([split or "train" for split in records.splits], dtype=object)
    fractions = {"test": test_fraction, "validation": validation_fraction}
    missing = {split: fraction for split, fraction in fractions.items() if split not in splits}
    for rows in _strata(records.labels, np.flatnonzero(splits == "train")):
        _carve(splits, generator.permutation(rows), missing)
    if records.labels.ndim == 2:
        _give_back(splits, records.labels.astype(bool), records.splits)
    decided = replace(records, splits=list(splits))
    _check_labels_seen(decided)
    if examples_per_class is None:
        return decided
    return decided.take(_within_budget(splits, decided, examples_per_class, generator))


def _check_labels_seen(records):
    """Raises InputError, with their names, if validation or test show classes that train never shows."""
    seen = _shown(records, records.rows("train"))
    for split in ("validation", "test"):
        unseen = np.flatnonzero(_shown(records, records.rows(split)) & ~seen)
        if unseen.size:
            raise InputError(
                f"The {split} split has labels that the train split never shows, {_names(records, unseen)}: a model "
                "cannot learn them; add training examples of these classes, or remove them from the split."
            )
    if not seen.any():
        raise InputError("The train split has no labelled examples: got 0, expected at least one of each class.")


def _check_ranges(validation_fraction, test_fraction, examples_per_class):
    fractions = {"data.validation_fraction": validation_fraction, "data.test_fraction": test_fraction}
    for argument, fraction in fractions.items():
        if not 0 <= fraction < 1:
            raise InputError(f"{argument} is {fraction}: expected a number from 0 to below 1, such as 0.15.")
    if validation_fraction + test_fraction >= 1:
        raise InputError(
            f"data.validation_fraction {validation_fraction} and data.test_fraction {test_fraction} leave nothing to "
            "train on: expected a sum below 1, such as 0.15 and 0.15."
        )
    if examples_per_class is not None and examples_per_class < 1:
        raise InputError(f"data.examples_per_class is {examples_per_class}: expected 1 or more, or none for all.")


def _shown(records, rows):
    """Returns bool (num_classes,): which classes the given rows show."""
    if records.labels.ndim == 2:
        return records.labels[rows].any(axis=0)
    return np.bincount(records.labels[rows], minlength=len(records.class_names)) > 0


def _strata(labels, rows):
    """Yields the given rows class by class, in order; a multi-label row goes with the rarest of its classes."""
    labels = labels[rows] if labels.ndim == 1 else _rarest(labels[rows].astype(bool))
    order = np.argsort(labels, kind="stable")
    yield from np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1)


def _rarest(members):
    """Returns int (k,): of each row of bool (k, num_classes) the class that the fewest rows have, -1 where none."""
    counts = members.sum(axis=0)
    rarity = np.where(members, counts, len(members) + 1)
    return np.where(members.any(axis=1), rarity.argmin(axis=1), -1)


def _carve(splits, rows, fractions):
    """Writes the splits of one class into `splits`: the first rows are for the first split, and so on."""
    taken = 0
    for split, fraction in fractions.items():
        wanted = round(fraction * len(rows))
        if fraction > 0 and len(rows) >= 3:
            wanted = max(1, wanted)
        wanted = min(wanted, len(rows) - 1 - taken)
        splits[rows[taken : taken + wanted]] = split
        taken += wanted


def _give_back(splits, members, given):
    """Returns one carved row to "train" for each class that carving took out of it (possible with multi-label only)."""
    carved = (splits != "train") & np.array([split in ("", "train") for split in given], bool)
    for label in range(members.shape[1]):
        rows = np.flatnonzero(carved & members[:, label])
        if rows.size and not members[splits == "train", label].any():
            splits[rows[0]] = "train"


def _within_budget(splits, records, examples_per_class, generator):
    """Returns the rows that stay: all that are not "train", and as many of "train" as the budget allows."""
    keep = splits != "train"
    counts = np.zeros(len(records.class_names), int)
    for row in generator.permutation(np.flatnonzero(splits == "train")):
        label = records.labels[row]
        classes = np.flatnonzero(label) if records.labels.ndim == 2 else label
        if np.any(counts[classes] < examples_per_class):
            keep[row] = True
            counts[classes] += 1
    return np.flatnonzero(keep)


def _names(records, labels):
    return first_of(records.class_names[label] for label in labels)
