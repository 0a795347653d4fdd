"""Plot of scores over the number of labels, a line for each method."""

from matplotlib.ticker import NullFormatter, NullLocator

from tl_keras.evaluation.figures import BLUE, GREY, ORANGE, saved_figure

STYLES = ((BLUE, "o"), (ORANGE, "s"), ("#009E73", "^"), ("#CC79A7", "D"))
"""Colours of Okabe and Ito (2008) and markers of the methods."""
REFERENCE_STYLES = ((GREY, "v"), ("#a0a8b0", "x"))
STEP = 1.025
"""Factor by which the points of a line are moved to the right of those of the line before, so that bars stay apart."""


def plot_label_curves(curves, path, *, unit, score):
    """Draws scores over the number of labels.

    Args:
        curves: list of (name, labels, scores, spreads, is_reference): numbers of labels, ascending, above 0; mean
            scores; standard deviations, or None for a single draw; and whether it has no pretrained weights.
        path: the PNG file to write.
        unit: plural of what the numbers count, such as "labels".
        score: name of the scores.
    """
    styles = {True: iter(REFERENCE_STYLES), False: iter(STYLES)}
    counts = max((labels for _, labels, *_ in curves), key=len)
    with saved_figure(path, 6.3, 3.9) as figure:
        axes = figure.subplots()
        for number, (name, labels, scores, spreads, is_reference) in enumerate(curves):
            colour, marker = next(styles[is_reference])
            axes.errorbar(
                [number] if len(counts) == 1 else _move(labels, number, curves),
                scores,
                None if None in spreads else spreads,
                color=colour,
                marker=marker,
                markersize=5,
                capsize=2.5,
                linestyle="--" if is_reference else "-",
                label=name,
            )
        if len(counts) == 1:
            _name_methods(axes, [name for name, *_ in curves], f"with {counts[0]:.0f} {unit} for training")
        else:
            _scale_labels(axes, counts, f"{unit} for training")
        axes.set_ylabel(score)
        axes.grid(axis="y")


def _move(labels, number, curves):
    """Moves the points of a line to the right of those of the lines before."""
    references = sum(is_reference for *_, is_reference in curves)
    return [count * STEP ** (number - (len(curves) - references) / 2) for count in labels]


def _name_methods(axes, names, title):
    """Gives each method a place of its own, since a single number of labels makes no axis."""
    axes.set_xticks(range(len(names)), names, rotation=20)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xlabel(title)


def _scale_labels(axes, counts, title):
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(counts, [f"{count:.0f}" for count in counts])
    axes.set_xlabel(title)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
