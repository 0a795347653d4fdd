"""Report of the benchmark: FEW_LABELS.md with tables and a plot."""

import statistics

import matplotlib

from few_label_suite.comparisons import compare, group_cells, mean_over_sets, mean_ranks, pair
from few_label_suite.contenders import CONTENDERS, PEERS
from few_label_suite.draws import ALL
from few_label_suite.sets import IMAGES, SETS, TEXTS

OURS = "auto"
FIGURES = {"log_loss": "log-loss", "expected_calibration_error": "ECE", "cpu_seconds": "CPU s"}
NUMBERS = {"log_loss": ".2f", "expected_calibration_error": ".3f", "cpu_seconds": ".0f"}
PLOT = "few_labels.png"
INTRODUCTION = """# Few labels

What contenders reach with few labelled examples of each class, written by `python benchmarks/few_labels.py`, whose
`--help` explains how it is measured. Accuracy on a fixed test set, mean ± standard deviation over the draws of the
training examples; CPU seconds of the whole process on one thread, on draw 0. A win or loss is a difference of mean
accuracy beyond two standard errors, paired over the draws. "all" is at most 200 examples of a class. A row is a data
set with a number of labels; ranks, log-loss, expected calibration error (ECE) and CPU seconds are means over the rows
of a contender. The tables of pairs compare each contender with auto over the rows and draws that both have, with the
standard error of the difference over the draws. FEW_LABELS.csv beside this file has a line for each measurement.
"""


def write_report(cells, folder):
    """Writes FEW_LABELS.md and, for several numbers of labels, its plot.

    Args:
        cells: dict from `Cell` to its result.
        folder: `pathlib.Path` of the folder to write into.

    Returns:
        List of the `pathlib.Path` of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(group_cells(cells), key=lambda row: (list(SETS).index(row.set), _labels(row.budget)))
    kinds = {kind: [row for row in rows if SETS[row.set].kind == kind] for kind in (IMAGES, TEXTS)}
    kinds = {kind: rows for kind, rows in kinds.items() if rows}
    # Over one number of labels there is no curve.
    plots = [folder / PLOT] if len(_budgets(rows)) > 1 else []
    parts = [INTRODUCTION, *(f"![Accuracy over labels]({path.name})\n" for path in plots)]
    for kind, kind_rows in kinds.items():
        parts += [f"## {kind.capitalize()}\n", summary_table(kind_rows), _losses(kind_rows), pair_table(kind_rows)]
    parts += ["## Data sets\n", _set_table(rows)]
    for name in dict.fromkeys(row.set for row in rows):
        parts += [f"### {name}\n", set_table([row for row in rows if row.set == name])]
    (folder / "FEW_LABELS.md").write_text("\n".join(parts), encoding="utf-8")
    for path in plots:
        _plot(kinds, path)
    return [folder / "FEW_LABELS.md", *plots]


def summary_table(rows):
    """Formats the means over the data sets of one kind, a line for each contender, the best mean rank first.

    Args:
        rows: list of `Row`.

    Returns:
        Markdown text. A cell is empty where a contender was not measured on every set.
    """
    budgets = _budgets(rows)
    ranks = mean_ranks(rows)
    heads = ["contender", *(f"{budget} a class" for budget in budgets if budget != ALL), *_if_all(budgets)]
    heads += ["mean rank (rows)", *FIGURES.values(), f"{OURS} wins / ties / losses"]
    lines = [heads]
    for contender in sorted(ranks, key=ranks.get):
        accuracies = [mean_over_sets(_of(rows, budget), contender, "accuracy") for budget in budgets]
        own = [row for row in rows if contender in row.draws]
        figures = [format(statistics.mean(row.mean(contender, name) for row in own), NUMBERS[name]) for name in FIGURES]
        outcomes = "" if contender == OURS else _count_outcomes(rows, contender)
        lines.append([contender, *map(_format, accuracies), f"{ranks[contender]:.1f} ({len(own)})", *figures, outcomes])
    return _table(lines)


def pair_table(rows):
    """Formats each contender beside auto, over the rows that both have.

    Args:
        rows: list of `Row` of one kind.

    Returns:
        Markdown text.
    """
    lines = [["contender", "rows", OURS, "its accuracy", "difference in points", f"CPU s of {OURS}", "its CPU s"]]
    for contender in CONTENDERS:
        found = pair(rows, OURS, contender) if contender != OURS else None
        if found:
            difference = f"{100 * (found.first - found.second):+.1f} ± {100 * found.error:.1f}"
            seconds = [f"{found.first_seconds:.0f}", f"{found.second_seconds:.0f}"]
            lines.append([contender, str(found.rows), *map(_format, (found.first, found.second)), difference, *seconds])
    return _table(lines) if len(lines) > 1 else ""


def set_table(rows):
    """Formats the accuracy and the CPU seconds on one data set, a line for each contender.

    Args:
        rows: list of `Row` with the same set.

    Returns:
        Markdown text.
    """
    contenders = [contender for contender in CONTENDERS if any(contender in row.draws for row in rows)]
    lines = [["contender", *(row.budget for row in rows)]]
    return _table(lines + [[contender, *(_cell(row, contender) for row in rows)] for contender in contenders])


def _cell(row, contender):
    if contender not in row.draws:
        return ""
    accuracies = row.values(contender, "accuracy")
    seconds = row.mean(contender, "cpu_seconds")
    return f"{statistics.mean(accuracies):.3f} ± {statistics.pstdev(accuracies):.3f} ({seconds:.0f} s)"


def _count_outcomes(rows, contender):
    differences = [compare(row, OURS, contender) for row in rows]
    outcomes = [difference.outcome for difference in differences if difference]
    return " / ".join(str(outcomes.count(outcome)) for outcome in (1, 0, -1)) if outcomes else ""


def _losses(rows):
    """Lists every loss, so that none hides in a mean."""
    lines = []
    for row in rows:
        for contender in CONTENDERS:
            difference = compare(row, OURS, contender)
            if contender != OURS and difference and difference.outcome < 0:
                size = f"{-100 * difference.mean:.1f} ± {100 * difference.error:.1f} points"
                lines.append(f"- {row.set}, {row.budget}: {OURS} is {size} below {contender}.")
    return "\n".join([f"Losses of {OURS}: {len(lines)}.\n", *lines, ""]) if _is_measured(rows) else ""


def _is_measured(rows):
    return any(OURS in row.draws for row in rows)


def _set_table(rows):
    lines = [["set", "content", "origin and licence", "test examples"]]
    for name in dict.fromkeys(row.set for row in rows):
        row = next(row for row in rows if row.set == name)
        result = next(iter(next(iter(row.draws.values())).values()))
        lines.append([name, SETS[name].content, SETS[name].origin, str(result["test_examples"])])
    return _table(lines)


def _table(lines):
    head, *body = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *body]) + "\n"


def _format(value):
    return "" if value is None else f"{value:.3f}"


def _labels(budget):
    return float("inf") if budget == ALL else int(budget)


def _budgets(rows):
    return sorted({row.budget for row in rows}, key=_labels)


def _if_all(budgets):
    return [ALL] if ALL in budgets else []


def _of(rows, budget):
    return [row for row in rows if row.budget == budget]


def _style(contender):
    """Returns the look of a contender, the same in both panels; rings of the others stay visible on our line."""
    if contender == OURS:
        return {"linewidth": 2.5, "color": "black", "marker": "."}
    # fastai only reads images and SetFit only texts, so that they can share a color.
    color, marker = ("C9", "s") if contender in PEERS else (f"C{list(CONTENDERS).index(contender) - 1}", "o")
    return {"linewidth": 1, "color": color, "marker": marker, "markerfacecolor": "none", "markersize": 5, "zorder": 3}


def _plot(kinds, path):
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(kinds), figsize=(5.5 * len(kinds), 4), squeeze=False)
    for axes, (kind, rows) in zip(panels[0], kinds.items(), strict=True):
        budgets = _budgets(rows)
        for contender in CONTENDERS:
            accuracies = [mean_over_sets(_of(rows, budget), contender, "accuracy") for budget in budgets]
            if any(value is not None for value in accuracies):
                values = [float("nan") if value is None else value for value in accuracies]
                axes.plot(budgets, values, label=contender, **_style(contender))
        axes.set_title(f"{kind}: mean over {len({row.set for row in rows})} sets")
        axes.set_xlabel("labels of each class")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    panels[0][0].set_ylabel("test accuracy")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
