"""States in one sentence whether transfer pays."""

import math

from tl_keras.studies.comparison.grid import ALL

EQUIVALENT = 0.02
"""Difference in score below which nobody would label, wait or pay more."""

PAYS, HARMS, EQUAL, OPEN = "pays", "harms", "equal", "open"


def judge(gain):
    """Returns "pays", "harms", "equal" if a `Gain` is within `EQUIVALENT`, or "open"."""
    if gain.low > 0:
        return PAYS
    if gain.high < 0:
        return HARMS
    return EQUAL if gain.low >= -EQUIVALENT and gain.high <= EQUIVALENT else OPEN


def verdict(comparison):
    """States in one sentence whether transfer pays.

    Args:
        comparison: `Comparison`.

    Returns:
        A sentence.
    """
    method, reference, terms = comparison.transfer, comparison.reference, comparison.terms
    if method is None:
        return "Nothing can be said about transfer: no method with pretrained weights was measured."
    if reference is None:
        return (
            "Whether transfer pays was not measured: no training from scratch is among the finished cells, and none is "
            "made up."
        )
    gains = {budget: gain for budget in comparison.budgets if (gain := comparison.gain(method, budget))}
    if not gains:
        return "Whether transfer pays was not measured: no cell from scratch has the labels of one with transfer."
    judged = {budget: judge(gain) for budget, gain in gains.items()}
    if not comparison.can_tell:
        return (
            f"Whether transfer pays cannot be decided with {comparison.num_test} {terms.examples}: at least "
            f"{terms.min_test} are needed for any statement, and some hundreds for a fine one."
        )
    sentences = [
        _pays(comparison, gains, [budget for budget, one in judged.items() if one == PAYS]),
        _harms(comparison, gains, [budget for budget, one in judged.items() if one == HARMS]),
        _equal(comparison, [budget for budget, one in judged.items() if one == EQUAL]),
        _open(comparison, gains, [budget for budget, one in judged.items() if one == OPEN]),
    ]
    sentence = "; ".join(filter(None, sentences))
    return f"{sentence[0].upper()}{sentence[1:]}."


def _pays(comparison, gains, budgets):
    if not budgets:
        return ""
    first, terms = budgets[0], comparison.terms
    text = f"transfer pays {_with(terms, budgets)}: {points(gains[first])} {_with(terms, [first])}"
    if len(budgets) > 1:
        text += f", {points(gains[budgets[-1]])} {_with(terms, [budgets[-1]])}"
    needed = comparison.labels_needed(comparison.transfer, first)
    if needed is not None:
        labels = round(comparison.labels(comparison.transfer, first))
        text += f", and {labels} {terms.unit} reach what takes {describe_labels(comparison, needed)} from scratch"
    return text


def _harms(comparison, gains, budgets):
    if not budgets:
        return ""
    all_of_them, first = _with(comparison.terms, budgets), _with(comparison.terms, budgets[:1])
    return f"negative transfer {all_of_them}: {points(gains[budgets[0]])} {first}"


def _equal(comparison, budgets):
    if not budgets:
        return ""
    return f"no benefit {_with(comparison.terms, budgets)}: the difference is below {100 * EQUIVALENT:.0f} points"


def _open(comparison, gains, budgets):
    if not budgets:
        return ""
    gain = gains[budgets[0]]
    half = (gain.high - gain.low) / 2
    # The interval shrinks with the root of the number of test examples, as far as these are what makes it wide.
    needed = comparison.num_test * (half / max(abs(gain.mean), EQUIVALENT)) ** 2
    rounded = int(math.ceil(needed / 100) * 100)
    return (
        f"{_with(comparison.terms, budgets)} it cannot be decided with {comparison.num_test} "
        f"{comparison.terms.examples} ({points(gain)}; about {rounded}, or more draws, would be needed)"
    )


def _with(terms, budgets):
    """Formats budgets, such as "with 5, 10 and all labels" or "with 5 labels a class"."""
    numbers = [budget for budget in budgets if budget != ALL]
    counted = " and ".join(filter(None, [", ".join(numbers[:-1]), *numbers[-1:]]))
    parts = [terms.name_budget(one) for one in ([counted] if numbers else []) + [ALL] * (ALL in budgets)]
    return f"with {' and '.join(parts)}"


def points(gain, unit=" points"):
    """Formats a `Gain` in points of the score, a hundredth each, with its interval."""
    return f"{100 * gain.mean:+.1f}{unit} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"


def describe_labels(comparison, needed):
    """Formats a range of numbers of labels.

    Args:
        comparison: `Comparison`.
        needed: tuple from `Comparison.labels_needed`.

    Returns:
        Text such as "120 to 180 labels" or "more than the 352 labels that were measured".
    """
    low, high = needed
    unit = comparison.terms.unit
    smallest, largest = measured_labels(comparison)
    if math.isinf(low):
        return f"more than the {largest:.0f} {unit} that were measured"
    if high <= smallest:
        return f"at most {smallest:.0f} {unit}"
    if math.isinf(high):
        return f"{low:.0f} {unit} to more than the {largest:.0f} that were measured"
    return f"{low:.0f} {unit}" if round(low) == round(high) else f"{low:.0f} to {high:.0f} {unit}"


def measured_labels(comparison):
    """Returns the smallest and the largest number of labels that was measured from scratch."""
    budgets = comparison.budgets_of(comparison.reference)
    return tuple(comparison.labels(comparison.reference, budget) for budget in (budgets[0], budgets[-1]))
