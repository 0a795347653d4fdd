"""Grid of a comparison: which method is trained on which labels."""

from dataclasses import dataclass

import numpy as np

from tl_keras.errors import InputError, counted, part_of, quoted, unknown_name

ALL = "all"
MAX_DIGITS = 9
"""Maximum length of a budget, since Python refuses to read numbers of thousands of digits."""
SCRATCH, SOLVED, FINE_TUNING, UNFREEZING, AUTO = (
    "scratch",
    "solved_head",
    "fine_tuning",
    "progressive_unfreezing",
    "auto",
)
RANDOM_WEIGHTS = "random_weights"
ALL_METHODS = (SOLVED, AUTO, FINE_TUNING, UNFREEZING, SCRATCH, RANDOM_WEIGHTS)
FROM_SCRATCH = (SCRATCH, RANDOM_WEIGHTS)
MAX_DRAWS = 1000
"""Maximum of draws, since the list of the cells alone could fill the memory."""


@dataclass(frozen=True)
class Cell:
    """One measurement: a method, trained on one draw of labels."""

    method: str
    """Name of the method."""
    budget: str
    """Labels of each class, or images with boxes, or "all"."""
    draw: int
    """Number of the draw, from 0."""

    def __str__(self):
        """Returns the name of its file and of its line."""
        return f"{self.method}-{self.budget}-{self.draw}"


@dataclass(frozen=True)
class GridSettings:
    """Lists what a comparison measures.

    Attributes:
        methods: names of methods, from `parse_methods`.
        budgets: budgets, from `parse_budgets`.
        draws: number of draws, at least 1.
        budgets_given: whether a user has chosen the budgets.
    """

    methods: tuple
    budgets: tuple
    draws: int
    budgets_given: bool = False


def parse_methods(text, terms):
    """Reads the value of `--methods`, a tuple of names in the order of the methods of the terms.

    Args:
        text: value of the flag.
        terms: `Terms` of the task.

    Raises:
        InputError: a name is unknown or missing.
    """
    known = (*terms.methods, *terms.other_methods)
    names = _parts(text)
    for name in names:
        if name not in known and name in ALL_METHODS:
            raise InputError(f"--methods names {name}, which does not suit this task: give some of {','.join(known)}.")
        if name not in known:
            raise unknown_name("method in --methods", name, known)
    if not names:
        raise InputError(f"--methods names no method: give some of {','.join(known)}.")
    return tuple(name for name in known if name in names)


def parse_budgets(text, terms):
    """Reads the value of `--budgets`, a tuple of numbers as text, ascending, "all" last.

    Args:
        text: value of the flag.
        terms: `Terms` of the task.

    Raises:
        InputError: a budget is not a number of labels.
    """
    names = _parts(text)
    for name in names:
        if name != ALL and not (name.isascii() and name.isdigit() and len(name) <= MAX_DIGITS and int(name)):
            raise InputError(
                f"Invalid budget {quoted(name)} in --budgets: give numbers of {terms.unit}{terms.each}, such as "
                "5,20,all."
            )
    if not names:
        raise InputError(f"--budgets names no number of {terms.unit}: give some, such as 5,20,all.")
    return tuple(sorted({name if name == ALL else str(int(name)) for name in names}, key=_size))


def check_budgets(budgets, counts, terms):
    """Refuses budgets that no split of the data can have, before anything is decoded or tokenized.

    Args:
        budgets: tuple of str, from `parse_budgets`, that a user has chosen.
        counts: int (k,), numbers of examples that a budget is compared with: those of each class, or of all together.
        terms: `Terms` of the task.

    Raises:
        InputError: a budget is not below the largest of them.
    """
    _refuse_large([budget for budget in budgets if budget != ALL], counts.max(), "", terms)


def fit_budgets(budgets, counts, terms, are_given):
    """Checks that the data have the labels of every budget.

    Args:
        budgets: tuple of str, from `parse_budgets`.
        counts: int (k,), numbers of training examples, as in `check_budgets`.
        terms: `Terms` of the task.
        are_given: whether a user has chosen the budgets; else those above the data are left out.

    Returns:
        Tuple of the budgets that are measured, and of sentences on small classes.

    Raises:
        InputError: a given budget is above every number.
    """
    largest = counts.max()
    above = [budget for budget in budgets if budget != ALL and int(budget) >= largest]
    if are_given:
        _refuse_large(above, largest, " for training, which are the budget all", terms)
    kept = tuple(budget for budget in budgets if budget not in above)
    notes = []
    for budget in kept:
        small = np.count_nonzero(counts < int(budget)) if budget != ALL else 0
        if small:
            few = part_of(small, len(counts), "class", ("has", "have"))
            notes.append(f"{few} fewer than {counted(int(budget), 'label')}: all of these are taken.")
    return kept, tuple(notes)


def _refuse_large(budgets, largest, use, terms):
    above = [budget for budget in budgets if int(budget) >= largest]
    if above:
        raise InputError(
            f"The budget {above[0]} in --budgets needs {terms.largest} {largest}{use}; give less than {largest}, or "
            "all."
        )


def draw_rows(labels, budget, draw, seed=0):
    """Draws training examples, the same for all methods; those of a smaller budget are among those of a larger one.

    Args:
        labels: int (n,).
        budget: labels of each class as text, or "all".
        draw: int, number of the draw.
        seed: int.

    Returns:
        int (k,), ascending.
    """
    if budget == ALL:
        return np.arange(len(labels))
    shuffled = np.random.default_rng([seed, draw]).permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(starts, counts)
    return np.sort(order[place < int(budget)])


def draw_images(has_boxes, budget, draw, seed=0):
    """Draws training images with boxes, as `draw_rows` does, whatever their classes are.

    The first of each draw has a box, since a detector cannot be trained without any.

    Args:
        has_boxes: bool (n,), images with a box.
        budget: number of images as text, or "all".
        draw: int, number of the draw.
        seed: int.

    Returns:
        int (k,), ascending.
    """
    if budget == ALL:
        return np.arange(len(has_boxes))
    order = np.random.default_rng([seed, draw]).permutation(len(has_boxes))
    first = order[np.argmax(has_boxes[order])]
    order = [first, *order[order != first]]
    return np.sort(order[: int(budget)])


def list_cells(methods, budgets, draws):
    """Lists the cells in the order of training: a whole draw before the next, cheap cells before dear ones."""
    return [Cell(method, budget, draw) for draw in range(draws) for budget in budgets for method in methods]


def _parts(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def _size(budget):
    return float("inf") if budget == ALL else int(budget)
