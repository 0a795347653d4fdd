"""Writes and prints a comparison: a page, a table in Markdown, figures as JSON, and a plot."""

import json
from dataclasses import asdict
from importlib.metadata import version

from tl_keras import evaluation
from tl_keras.errors import counted
from tl_keras.studies.comparison.comparison_tables import begin_sentence, format_score, list_tables
from tl_keras.studies.comparison.figures import NEXT_LABELS
from tl_keras.studies.comparison.grid import FROM_SCRATCH
from tl_keras.studies.comparison.verdict import judge, verdict
from tl_keras.studies.markdown import format_table
from tl_keras.system.atomic_files import write_text
from tl_keras.system.escaping import for_lines

PAGE, TABLES, FIGURES, PLOT = "compare.html", "compare.md", "compare.json", "compare.png"
VERSIONED = ("tensorflow", "keras", "numpy", "scikit-learn")


def write_comparison(comparison, folder, price_per_hour=None):
    """Writes the files of a comparison.

    Args:
        comparison: `Comparison`.
        folder: `pathlib.Path` of an existing folder.
        price_per_hour: price of the machine; None shows no money.

    Returns:
        List of the `pathlib.Path` of the files.
    """
    title, terms = _title(comparison), comparison.terms
    tables = list_tables(comparison, price_per_hour)
    curves = list(filter(None, (_curve(comparison, method) for method in comparison.methods)))
    if curves:
        evaluation.plot_label_curves(
            curves, folder / PLOT, unit=terms.unit, score=f"{terms.score} on the {terms.examples}"
        )
    bars = "; bars are standard deviations over draws" if comparison.draws > 1 else " of one draw"
    caption = f"{begin_sentence(terms.score)} over {terms.unit}{bars}"
    lines = [f"# {title}", "", *summary_lines(comparison, price_per_hour), ""]
    # People read it in a terminal, too.
    write_text(folder / TABLES, for_lines("\n".join(lines)))
    write_text(folder / FIGURES, json.dumps(_figures(comparison), indent=2) + "\n")
    evaluation.write_comparison_page(
        folder / PAGE,
        title=title,
        verdict=verdict(comparison),
        lines=next_lines(comparison),
        plots=[(caption, folder / PLOT)] if curves else [],
        tables=tables,
        notes=[*comparison.notes, _describe(comparison)],
        versions={name: version(name) for name in VERSIONED},
    )
    return [folder / name for name in (PAGE, TABLES, FIGURES, *([PLOT] if curves else []))]


def summary_lines(comparison, price_per_hour=None):
    """Returns the verdict, the tables and the notes of a comparison, as lines of Markdown."""
    lines = [verdict(comparison), *next_lines(comparison)]
    for heading, explanation, rows in list_tables(comparison, price_per_hour):
        lines += ["", f"## {heading}", "", explanation, "", *format_table(rows)]
    return [*lines, "", *comparison.notes, _describe(comparison)]


def next_lines(comparison):
    """Predicts the score with more labels than there are, a list of at most one sentence."""
    method = comparison.transfer
    ranges = comparison.next_labels(method) if method else {}
    if not ranges:
        return []
    budget = comparison.budgets_of(method)[-1]
    told = [f"{more} more: {limits[0]:.2f} to {limits[1]:.2f}" for more, limits in ranges.items() if limits]
    untold = [str(more) for more in NEXT_LABELS if ranges[more] is None]
    parts = ", ".join(told) or "cannot be decided"
    rest = f"; what {' or '.join(untold)} more bring is beyond twice what was measured" if untold and told else ""
    mean = format_score(comparison, method, budget)
    labels = comparison.labels(method, budget)
    now = f"More {comparison.terms.unit} for {method}, now {mean} with {labels:.0f}"
    return [f"{now}: {parts}{rest} (90 % range of a piecewise curve)."]


def _title(comparison):
    return f"Does transfer pay on {comparison.facts['data']}?"


def _describe(comparison):
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in comparison.facts.items())
    return (
        f"{len(comparison.results)} of {counted(comparison.num_cells, 'cell')}; {facts}. All methods read the same "
        f"examples at the same size; scratch is {comparison.terms.scratch}."
    )


def _curve(comparison, method):
    budgets = comparison.budgets_of(method)
    if not budgets:
        return None
    labels, accuracies = ([comparison.mean(method, budget, name) for budget in budgets] for name in ("labels", "score"))
    spreads = [comparison.spread(method, budget) for budget in budgets]
    return method, labels, accuracies, spreads, method in FROM_SCRATCH


def _figures(comparison):
    unit = comparison.terms.unit
    costs = ("cpu_seconds", "seconds", "steps", "multiply_adds", "joules")
    rows = []
    for method in comparison.methods:
        for budget in comparison.budgets_of(method):
            is_told = comparison.can_tell and method not in FROM_SCRATCH
            gain = comparison.gain(method, budget) if is_told else None
            needed = comparison.labels_needed(method, budget) if gain else None
            rows.append(
                {
                    "method": method,
                    "budget": budget,
                    unit: comparison.labels(method, budget),
                    **{name: comparison.mean(method, budget, name) for name in (*comparison.terms.figures, *costs)},
                    "draws": [result.score for result in comparison.of(method, budget).values()],
                    "gain": asdict(gain) | {"judged": judge(gain)} if gain else None,
                    # JSON has no infinity: null stands for more than was measured.
                    f"{unit}_from_scratch": needed and [None if value == float("inf") else value for value in needed],
                }
            )
    ranges = comparison.next_labels(comparison.transfer) if comparison.transfer else {}
    return {
        "verdict": verdict(comparison),
        "reference": comparison.reference,
        "transfer": comparison.transfer,
        comparison.terms.examples.replace(" ", "_"): comparison.num_test,
        f"next_{unit}": {str(more): limits for more, limits in ranges.items()},
        "cells": rows,
        "facts": comparison.facts,
        "notes": list(comparison.notes),
    }
