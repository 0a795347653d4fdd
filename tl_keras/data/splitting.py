"""Stratified splits into training, validation and test."""

from dataclasses import replace

import numpy as np

from tl_keras.data.wording import excerpt, first_of
from tl_keras.errors import InputError


def split_records(
    records, *, validation_fraction=0.15, test_fraction=0.15, examples_per_class=None, seed=0, groups=None
):
    """Assigns a split to every example that has none.

    Splits of the data are kept; undecided rows count as "train". A split that the data lack is drawn from "train",
    class by class: the fraction of each class, rounded; at least one example if the class has three or more; never
    the last training example of a class. Where this draws nothing, the fraction of all examples comes from classes of
    two, one of each. The test examples depend on `test_fraction` and `seed` only, so that runs
    with other label budgets or validation sizes share one test split.

    Args:
        records: `Records`.
        validation_fraction: fraction of each class that becomes "validation" if no row is, 0 to below 1.
        test_fraction: fraction of each class that becomes "test" if no row is, 0 to below 1.
        examples_per_class: maximum number of training examples per class (multi-label: an example is kept while one of
            its classes has fewer); None keeps all. The other training examples are removed.
        seed: int, for shuffling.
        groups: for each example a hashable value; the examples of a class that share it are duplicates, and are drawn
            into one split. None: there are no duplicates.

    Returns:
        New `Records` in the same order, without undecided splits, with a note on classes that have fewer training
        examples than the budget.

    Raises:
        InputError: a fraction or a budget is out of range, or validation or test has a class that train lacks.
    """
    _check_ranges(validation_fraction, test_fraction, examples_per_class)
    generator = np.random.default_rng(seed)
    splits = np.array([split or "train" for split in records.splits], dtype=object)
    fractions = {"test": test_fraction, "validation": validation_fraction}
    fractions = {split: fraction for split, fraction in fractions.items() if split not in splits}
    for rows in _strata(records.labels, np.flatnonzero(splits == "train")):
        rows = generator.permutation(rows)
        _draw_splits(splits, *(_join_groups(rows, groups) if groups else (rows, rows)), fractions)
    for split, fraction in fractions.items():
        if fraction > 0 and split not in splits:
            _draw_from_pairs(splits, split, fraction, records.labels, groups, generator)
    if records.labels.ndim == 2:
        _return_last_examples(splits, records.labels.astype(bool), records.splits, groups)
    records = replace(records, splits=list(splits))
    _check_labels_seen(records)
    if examples_per_class is None:
        return records
    records = records.take(_within_budget(splits, records, examples_per_class, generator))
    return replace(records, notes=(*records.notes, *_note_small_classes(records, examples_per_class)))


def _note_small_classes(records, examples_per_class):
    """Returns a sentence that counts the training examples of classes below the budget, if there are such classes."""
    labels, names = records.labels[records.rows("train")], records.class_names
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(names))
    if small := [f"{names[label]} ({counts[label]})" for label in np.flatnonzero(counts < examples_per_class)]:
        return [f"data.examples_per_class is {examples_per_class}, but some classes have fewer: {first_of(small)}."]
    return []


def _check_labels_seen(records):
    """Raises InputError if validation or test has classes that train lacks."""
    seen = _has_class(records, records.rows("train"))
    for split in ("validation", "test"):
        unseen = np.flatnonzero(_has_class(records, records.rows(split)) & ~seen)
        if unseen.size:
            names = first_of(excerpt(records.class_names[label]) for label in unseen)
            raise InputError(
                f"The {split} split has labels that the train split never shows, {names}: a model "
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


def _has_class(records, rows):
    """Returns bool (num_classes,), True for the classes of the given rows."""
    if records.labels.ndim == 2:
        return records.labels[rows].any(axis=0)
    return np.bincount(records.labels[rows], minlength=len(records.class_names)) > 0


def _strata(labels, rows):
    """Yields the rows of each class, in order; a multi-label row belongs to the rarest of its classes."""
    labels = labels[rows] if labels.ndim == 1 else _rarest(labels[rows].astype(bool))
    order = np.argsort(labels, kind="stable")
    yield from np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1)


def _rarest(members):
    """Returns int (k,), the rarest class of each row of bool (k, num_classes); -1 for rows without a class."""
    counts = members.sum(axis=0)
    rarity = np.where(members, counts, len(members) + 1)
    return np.where(members.any(axis=1), rarity.argmin(axis=1), -1)


def _join_groups(rows, groups):
    """Returns the rows in an order in which those of a group follow its first one, and the group of each."""
    first = {}
    order = np.array([first.setdefault(groups[row], place) for place, row in enumerate(rows)], int)
    places = np.argsort(order, kind="stable")
    return rows[places], order[places]


def _draw_splits(splits, rows, groups, fractions):
    """Writes the splits of one class into `splits`: the first rows get the first split, and so on."""
    start = 0
    for split, fraction in fractions.items():
        count = round(fraction * len(rows))
        if fraction > 0 and len(rows) >= 3:
            count = max(1, count)
        end = _end_of_group(groups, start + min(count, len(rows) - 1 - start))
        splits[rows[start:end]] = split
        start = end


def _draw_from_pairs(splits, split, fraction, labels, groups, generator):
    """Moves one of the two examples of some classes into a split; duplicates of each other stay together."""
    train = np.flatnonzero(splits == "train")
    pairs = [rows for rows in _strata(labels, train) if len(rows) == 2]
    if groups:
        pairs = [rows for rows in pairs if groups[rows[0]] != groups[rows[1]]]
    count = max(1, round(fraction * len(train)))
    for number in generator.permutation(len(pairs))[:count]:
        splits[generator.choice(pairs[number])] = split


def _end_of_group(groups, end):
    """Returns the next end of a group, or the one before if the last group of the class would be drawn."""
    after = np.flatnonzero(groups[end:] != groups[end - 1]) if 0 < end < len(groups) else [0]
    return end + after[0] if len(after) else np.flatnonzero(groups == groups[-1])[0]


def _return_last_examples(splits, members, original_splits, groups):
    """Returns one drawn row and its duplicates to "train" for each class that train lacks (multi-label only)."""
    is_drawn = (splits != "train") & np.array([split in ("", "train") for split in original_splits], bool)
    for label in range(members.shape[1]):
        rows = np.flatnonzero(is_drawn & members[:, label])
        if rows.size and not members[splits == "train", label].any():
            splits[[row for row in rows if row == rows[0] or (groups and groups[row] == groups[rows[0]])]] = "train"


def _within_budget(splits, records, examples_per_class, generator):
    """Returns the rows outside of "train", and as many training rows as the budget allows."""
    keep = splits != "train"
    counts = np.zeros(len(records.class_names), int)
    for row in generator.permutation(np.flatnonzero(splits == "train")):
        label = records.labels[row]
        classes = np.flatnonzero(label) if records.labels.ndim == 2 else label
        if np.any(counts[classes] < examples_per_class):
            keep[row] = True
            counts[classes] += 1
    return np.flatnonzero(keep)
