"""Comparison of the figures that a document states with those that were measured."""

from dataclasses import dataclass

from figure_checks.patterns import to_number

SAME, DIFFERS, REPORTED = "same", "differs", "other machine"
BOUNDS = ("_low", "_high", "_spread")
ROUNDING = 1.0001
"""Factor on allowed differences, for the binary representation of decimal figures."""


@dataclass(frozen=True)
class Tolerance:
    """Holds the allowed differences."""

    score: float = 0.02
    """Difference of scores from 0 to 1 that have neither an interval nor a spread."""
    time: float = 1.5
    """Ratio of times."""
    same_machine: bool = True
    """Whether the times were measured on this machine; else they are only reported."""


@dataclass(frozen=True)
class Comparison:
    """Holds one figure, as stated and as measured."""

    page: str
    name: str
    stated: str
    measured: str
    verdict: str


def compare_figure(figure, output, tolerance):
    """Compares all rows of a figure with the output of its command.

    Args:
        figure: `Figure`.
        output: text that the command printed, with that of its files.
        tolerance: `Tolerance`.

    Returns:
        List of `Comparison`.
    """
    measured, results = figure.find_measured(output), []
    for match in figure.find_stated():
        stated = match.groupdict()
        key = tuple(stated[name].strip() for name in figure.keys)
        row = measured.get(key, {})
        for name, kind in figure.kinds.items():
            got = row.get(name)
            # The ends of an interval may only stand in the document.
            if kind != "key" and (got or not name.endswith(BOUNDS)):
                verdict = DIFFERS if got is None else judge(name, kind, stated, got, tolerance)
                label = " ".join([*key, name])
                results.append(Comparison(figure.page, label, stated[name], got or "not in the output", verdict))
    return results


def judge(name, kind, stated, measured, tolerance):
    """Judges a measured figure.

    Args:
        name: name of the figure.
        kind: one of `patterns.KINDS` but "key".
        stated: dict from the names of all figures in the same sentence or row to their text in the document.
        measured: text in the output.
        tolerance: `Tolerance`.

    Returns:
        `SAME`, `DIFFERS` or `REPORTED`.
    """
    written, got = to_number(stated[name]), to_number(measured)
    if kind == "exact":
        return SAME if got == written else DIFFERS
    if kind == "cost":
        low, high = sorted((written, got))
        if high <= ROUNDING * tolerance.time * low or high - low <= _last_digit(stated[name]):
            return SAME
        return DIFFERS if tolerance.same_machine else REPORTED
    allowed = tolerance.score * (100 if kind == "percent" else 1)
    low, high, spread = (stated.get(f"{name}_{end}") for end in ("low", "high", "spread"))
    if low is not None:
        return SAME if to_number(low) <= got <= to_number(high) else DIFFERS
    if spread is not None:
        allowed = max(allowed, 2 * to_number(spread))
    return SAME if abs(got - written) <= ROUNDING * max(allowed, _last_digit(stated[name]) / 2) else DIFFERS


def _last_digit(text):
    """Returns the value of one unit of the last digit."""
    return 10.0 ** -len(text.partition(".")[2])
