"""Tables of a comparison, as rows of texts for the terminal, Markdown and HTML."""

import math

from tl_keras.errors import counted
from tl_keras.studies.comparison.figures import MIN_CURVE
from tl_keras.studies.comparison.grid import ALL, FROM_SCRATCH
from tl_keras.studies.comparison.verdict import HARMS, PAYS, judge, measured_labels, points

DASH = "–"
ONE_DRAW = " One draw does not show how much other labels would change it: give --draws two or more."
FLOPS_PER_MULTIPLY_ADD = 2
SHOWN = {PAYS: " *", HARMS: " !"}


def list_tables(comparison, price_per_hour=None):
    """Lists the tables of a comparison.

    Args:
        comparison: `Comparison`.
        price_per_hour: price of the machine; None shows no money.

    Returns:
        List of (heading, explanation, rows); rows are lists of str, the first is the head.
    """
    tables = [_scores(comparison)]
    # The verdict says of fewer test examples that they decide nothing.
    if comparison.reference and comparison.transfer and comparison.can_tell:
        tables += [_gains(comparison), _labels_saved(comparison), _times(comparison)]
    # With too little time not even one cell may be measured.
    return [*tables, _costs(comparison, price_per_hour)] if comparison.results else tables


def format_score(comparison, method, budget):
    """Formats the mean score over draws with its standard deviation; a dash if it was not measured."""
    mean, spread = comparison.mean(method, budget, "score"), comparison.spread(method, budget)
    if mean is None:
        return DASH
    return f"{mean:.3f}" if spread is None else f"{mean:.3f} ± {spread:.3f}"


def begin_sentence(text):
    """Returns a text with a capital letter first, whose other letters stay as they are."""
    return text[0].upper() + text[1:]


def _scores(comparison):
    terms = comparison.terms
    rows = [
        [method, *(format_score(comparison, method, budget) for budget in comparison.budgets)]
        for method in comparison.methods
    ]
    spread = "; one draw has no spread"
    if comparison.draws > 1:
        spread = f", mean over {counted(comparison.draws, 'draw')} ± their standard deviation"
    heading = begin_sentence(terms.score)
    explanation = f"{heading} on {comparison.num_test} {terms.examples}{spread}."
    if ALL in comparison.budgets:
        explanation += f" With all {terms.unit} draws differ in the random numbers of the training only."
    return heading, explanation, [["method", *_heads(comparison)], *rows]


def _gains(comparison):
    rows = []
    for method in _with_transfer(comparison):
        gains = [comparison.gain(method, budget) for budget in comparison.budgets]
        rows.append([method, *(points(gain, "") + SHOWN.get(judge(gain), "") if gain else DASH for gain in gains)])
    over, caution = ("draws and ", "") if comparison.draws > 1 else ("", ONE_DRAW)
    explanation = (
        f"Points of {comparison.terms.score} above {comparison.reference}, with 95 % intervals over {over}"
        f"{comparison.terms.examples}; * better, ! worse (negative transfer).{caution} {_ends(comparison)}"
    )
    return "Gain from transfer", explanation, [["method", *_heads(comparison)], *rows]


def _ends(comparison):
    method = comparison.transfer
    budgets = comparison.budgets_of(method, comparison.reference)
    if not budgets:
        return ""
    first, last = (points(comparison.gain(method, budget)) for budget in (budgets[0], budgets[-1]))
    return (
        f"Jump-start of {method}, with the fewest {comparison.terms.unit}: {first}; asymptotic gain, with the most "
        f"that were measured: {last}."
    )


def _labels_saved(comparison):
    rows = []
    for method in _with_transfer(comparison):
        needed = [comparison.labels_needed(method, budget) for budget in comparison.budgets]
        rows.append([method, *(_range(comparison, one) if one else DASH for one in needed)])
    terms = comparison.terms
    unit = begin_sentence(terms.unit)
    explanation = (
        f"{unit} with which {comparison.reference} {terms.equally}, as 90 % ranges over resampled draws and "
        f"{terms.examples}. Nothing is extrapolated: > stands before the largest number that was measured."
    )
    if len(comparison.budgets_of(comparison.reference)) < MIN_CURVE:
        explanation = (
            f"{unit} with which {comparison.reference} {terms.equally} cannot be read off its only measured number of "
            f"{terms.unit}: give --budgets two or more."
        )
    return f"{unit} saved", explanation, [["method", *_heads(comparison)], *rows]


def _range(comparison, needed):
    """Formats a range of numbers of labels for a table."""
    low, high = needed
    smallest, largest = measured_labels(comparison)
    if math.isinf(low):
        return f"> {largest:.0f}"
    if high <= smallest:
        return f"≤ {smallest:.0f}"
    end = f"> {largest:.0f}" if math.isinf(high) else f"{high:.0f}"
    return f"{'≤ ' if low <= smallest else ''}{low:.0f} to {end}"


def _times(comparison):
    rows = []
    for method in comparison.methods:
        budget = comparison.cheapest(method)
        if budget is None:
            rows.append([method, "not reached", DASH, DASH])
            continue
        labels, steps = comparison.labels(method, budget), comparison.mean(method, budget, "steps")
        seconds = comparison.mean(method, budget, "cpu_seconds")
        rows.append([method, f"{labels:.0f}", f"{seconds:.1f}", f"{steps:.0f}"])
    explanation = (
        f"The cheapest measured training whose mean {comparison.terms.score} is at least {comparison.target:.3f}, the "
        f"highest that {comparison.reference} reaches."
    )
    head = ["method", comparison.terms.unit, "CPU s", "steps"]
    return f"Time to {comparison.terms.score}", explanation, [head, *rows]


def _costs(comparison, price_per_hour):
    budget = next(one for one in reversed(comparison.budgets) if any(comparison.of(m, one) for m in comparison.methods))
    columns = {
        "CPU s": ("cpu_seconds", 1, ".1f"),
        "elapsed s": ("seconds", 1, ".1f"),
        "steps": ("steps", 1, ".0f"),
        "GFLOP": ("multiply_adds", FLOPS_PER_MULTIPLY_ADD * 1e-9, ",.0f"),
        "kJ": ("joules", 1e-3, ".2f"),
    }
    if price_per_hour is not None:
        columns["price"] = ("seconds", price_per_hour / 3600, ".5f")
    measured = [one for one in comparison.methods if comparison.of(one, budget)]
    columns = {
        name: column
        for name, column in columns.items()
        if any(comparison.mean(method, budget, column[0]) is not None for method in measured)
    }
    rows = [
        [method, *(_cost(comparison, method, budget, *column) for column in columns.values())] for method in measured
    ]
    explanation = (
        f"The mean over draws of one training with {comparison.terms.name_budget(budget)}, including one forward pass "
        "of its labelled examples where that is shared."
    )
    if budget != comparison.budgets[-1]:
        explanation += f" With more {comparison.terms.unit} nothing was measured."
    if "GFLOP" in columns:
        explanation += " FLOPs are those of the kernels, twice the multiply-adds."
    return "Cost", explanation, [["method", *columns], *rows]


def _cost(comparison, method, budget, name, factor, form):
    mean = comparison.mean(method, budget, name)
    return DASH if mean is None else f"{mean * factor:{form}}"


def _with_transfer(comparison):
    return [method for method in comparison.methods if method not in FROM_SCRATCH and comparison.budgets_of(method)]


def _heads(comparison):
    return [comparison.terms.head(budget) for budget in comparison.budgets]
