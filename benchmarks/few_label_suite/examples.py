"""Labelled examples of a data set, and their fixed split into a training pool and a test set."""

import random
from collections import defaultdict
from typing import Any, NamedTuple

TEST_FRACTION = 0.4
MAX_TEST = 600
"""Largest test set, divided evenly among the classes."""
MAX_TRAIN_PER_CLASS = 200
"""Largest training pool of a class; "all" labels means this pool."""


class Example(NamedTuple):
    """One labelled image or text."""

    content: Any
    """`PIL.Image.Image`, or a text."""
    label: str
    """Name of the class."""
    group: str
    """Examples of one group are on the same side of the split."""
    split: str = ""
    """"train" or "test"; empty if it is drawn."""


def split_examples(examples, seed=0):
    """Draws the training pool and the test set of each class.

    Args:
        examples: list of `Example`; either all or none have a split.
        seed: int that determines the draw.

    Returns:
        Dict with the keys "train" and "test" and lists of `Example`. The size of the test set is the same for each
        class if the classes have enough examples.
    """
    classes = defaultdict(list)
    for example in examples:
        classes[example.label].append(example)
    sides = {"train": [], "test": []}
    for label in sorted(classes):
        shuffled = list(classes[label])
        random.Random(f"{seed} {label}").shuffle(shuffled)
        test, train = _sides(shuffled, round(MAX_TEST / len(classes)))
        sides["train"] += train[:MAX_TRAIN_PER_CLASS]
        sides["test"] += test
    return sides


def _sides(shuffled, max_test):
    if shuffled[0].split:
        test = [example for example in shuffled if example.split == "test"]
        return test[:max_test], [example for example in shuffled if example.split == "train"]
    size = min(max_test, round(TEST_FRACTION * len(shuffled)))
    # The groups of the first examples, as many as fill the test set.
    groups = {example.group for example in shuffled[:size]}
    test = [example for example in shuffled if example.group in groups]
    return test[:size], [example for example in shuffled if example.group not in groups]
