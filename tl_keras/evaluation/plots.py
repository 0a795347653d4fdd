"""Plots of a training run: confusion matrix, worst mistakes and training history; contact sheets of images."""

import matplotlib
import numpy as np
from matplotlib.ticker import MaxNLocator

from tl_keras.errors import counted
from tl_keras.evaluation.classification import THRESHOLD, worst_mistakes
from tl_keras.evaluation.figures import (
    BLUE,
    FAINT,
    GREY,
    INK,
    ORANGE,
    PHASE_BAND,
    add_image,
    saved_figure,
    shorten,
    write_below,
)
from tl_keras.evaluation.fonts import drawable_names
from tl_keras.phases import direction_of

MAX_NUMBERED_CLASSES = 30
"""Maximum number of classes in a confusion matrix with counts; a larger one shows colours alone."""
MAX_NAMED_CLASSES = 100
"""Maximum number of class names at a confusion matrix; a larger one names every second, third ... class."""
MISTAKES_PER_ROW = 4
TILE_WIDTH, TILE_HEIGHT, TILE_MARGIN = 2.25, 2.75, 0.12
"""Size in inches of one mistake, including the three lines of text below its image, and margin of the image."""
SHEET_PER_ROW = 8
SMALL_WIDTH, SMALL_HEIGHT, SMALL_MARGIN = 1.4, 1.85, 0.08
"""The same for an image of a contact sheet, with two lines of text."""
PANEL_WIDTH = 5.4
"""Width in inches of one panel of the training history."""
PANELS_PER_ROW = 3


def plot_confusion_matrix(matrix, class_names, path):
    """Draws a confusion matrix, normalized by the true classes.

    Correct predictions are blue, wrong ones orange. The colour grows with the square root of the share, so that rare
    mistakes stay visible. The right margin shows the recall of each class, or a dash for a class without examples.

    Args:
        matrix: int (num_classes, num_classes); rows are true classes, columns predicted classes.
        class_names: sequence of num_classes names.
        path: the PNG file to write.
    """
    matrix = np.asarray(matrix)
    class_names = drawable_names(class_names)
    count = len(class_names)
    totals = matrix.sum(axis=1)
    shares = matrix / np.maximum(totals, 1)[:, None]
    cell = float(np.clip(10 / count, 0.19, 0.62))
    side = max(cell * min(count, MAX_NAMED_CLASSES), 3)
    with saved_figure(path, side + 2.7, side + 2.1) as figure:
        axes = figure.subplots()
        axes.imshow(_confusion_colours(shares, np.eye(count, dtype=bool)))
        axes.set_title(f"{np.trace(matrix)} of {matrix.sum()} right", y=1, pad=14)
        recalls = [_percent(share) if total else "–" for share, total in zip(shares.diagonal(), totals, strict=True)]
        _name_classes(axes, class_names, recalls, font_size=float(np.clip(cell * 34, 6, 9)))
        if count <= MAX_NAMED_CLASSES:
            _draw_cell_borders(axes, count)
        if count <= MAX_NUMBERED_CLASSES:
            _write_counts(axes, matrix, shares, font_size=float(np.clip(cell * 18, 6, 9)))
        _draw_colour_key(axes, side)


def plot_mistakes(images, labels, probabilities, names, class_names, path, count=16):
    """Draws the most confident wrong predictions with their true and predicted classes.

    Args:
        images: uint8 or float (n, height, width, 3), RGB, 0 to 255: an array, or anything with `images[int]`.
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1.
        names: sequence of n strings, the names of the examples, such as file names.
        class_names: sequence of num_classes names.
        path: the PNG file to write. If there are no mistakes, it says so.
        count: maximum number of mistakes.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    class_names = drawable_names(class_names)
    mistakes = worst_mistakes(labels, probabilities, count)
    if not mistakes:
        with saved_figure(path, 5, 1.2) as figure:
            figure.text(
                0.5, 0.5, f"No mistakes in {counted(len(labels), 'example')}.", ha="center", va="center", fontsize=12
            )
        return
    columns = min(MISTAKES_PER_ROW, len(mistakes))
    rows = -(-len(mistakes) // columns)
    with saved_figure(path, TILE_WIDTH * columns, TILE_HEIGHT * rows) as figure:
        for place, index in enumerate(mistakes):
            row, column = divmod(place, MISTAKES_PER_ROW)
            left, top = column * TILE_WIDTH + TILE_MARGIN, row * TILE_HEIGHT + TILE_MARGIN
            axes = add_image(figure, images[index], left, top, TILE_WIDTH - 2 * TILE_MARGIN)
            true, negation, predicted, confidence = _verdict(labels[index], probabilities[index], class_names)
            verdict = f"→ {negation}{shorten(predicted, 18)} {_percent(confidence)}"
            write_below(axes, shorten(true, 26), 4, color=INK, font_size=9)
            write_below(axes, verdict, 17, color=ORANGE, font_size=9)
            write_below(axes, shorten(names[index], 36), 30, font_size=6.5)


def plot_contact_sheet(images, captions, path):
    """Draws images in rows, in their order.

    Args:
        images: list of n images, uint8 or float (height, width, 3), RGB, 0 to 255, at least one.
        captions: list of n tuples of the name of the image and a second line, which may be empty.
        path: the PNG file to write.
    """
    columns = min(SHEET_PER_ROW, len(images))
    rows = -(-len(images) // columns)
    with saved_figure(path, SMALL_WIDTH * columns, SMALL_HEIGHT * rows) as figure:
        for place, (image, (name, note)) in enumerate(zip(images, captions, strict=True)):
            row, column = divmod(place, columns)
            left, top = column * SMALL_WIDTH + SMALL_MARGIN, row * SMALL_HEIGHT + SMALL_MARGIN
            axes = add_image(figure, image, left, top, SMALL_WIDTH - 2 * SMALL_MARGIN)
            write_below(axes, shorten(name, 24), 4, font_size=6)
            write_below(axes, shorten(note, 20), 14, color=ORANGE, font_size=7)


def plot_history(history, phase_spans, path, directions=None):
    """Draws training and validation metrics by epoch, with the phases as bands behind them.

    Args:
        history: dict of lists with one float per epoch, as in `keras.callbacks.History.history`; None where an epoch
            lacks the metric. Loss, accuracy and each other metric with a `val_` counterpart get a panel, and a ring
            marks the best validation value, if it is known whether that is the lowest or the highest.
        phase_spans: list of (name, first_epoch, last_epoch), counted from 1, both inclusive.
        path: the PNG file to write.
        directions: dict from a metric's name to "min", "max" or None; by default the names tell.
    """
    measures = [name for name in history if name in ("loss", "accuracy") or f"val_{name}" in history]
    measures.sort(key=lambda name: name != "loss")
    epochs = max([len(values) for values in history.values()] + [last for _, _, last in phase_spans], default=1)
    count = max(len(measures), 1)
    columns = min(count, PANELS_PER_ROW)
    rows = -(-count // columns)
    with saved_figure(path, PANEL_WIDTH * columns, 3.4 * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for unused in panels[count:]:
            unused.remove()
        for axes, name in zip(panels, measures, strict=False):
            _draw_phases(axes, phase_spans, epochs)
            _draw_curve(axes, history[name], "training", color=ORANGE, linestyle=(0, (4, 1.5)))
            direction = (directions or {}).get(name) or direction_of(name)
            _draw_validation(axes, history.get(f"val_{name}", []), direction)
            _finish_panel(axes, name, epochs)


def _confusion_colours(shares, is_right):
    strength = np.sqrt(shares)
    right, wrong = matplotlib.colormaps["Blues"](strength), matplotlib.colormaps["Oranges"](strength * 0.8)
    colours = np.where(is_right[..., None], right, wrong)
    colours[shares == 0] = 1
    return colours


def _name_classes(axes, class_names, recalls, font_size):
    every = -(-len(class_names) // MAX_NAMED_CLASSES)
    positions = range(0, len(class_names), every)
    names = [shorten(class_names[position], 22) for position in positions]
    axes.set_xticks(positions, names, rotation=90 if len(names) > 2 else 0, fontsize=font_size)
    axes.set_yticks(positions, names, fontsize=font_size)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    margin = axes.secondary_yaxis("right")
    margin.set_yticks(positions, recalls[::every], fontsize=font_size)
    margin.tick_params(length=0, labelcolor=GREY)
    margin.spines[:].set_visible(False)
    axes.annotate("recall", (1, 1), (5, 4), "axes fraction", "offset points", color=GREY, fontsize=font_size)


def _draw_cell_borders(axes, count):
    edges = np.arange(count + 1) - 0.5
    axes.hlines(edges, -0.5, count - 0.5, color=FAINT, linewidth=0.5)
    axes.vlines(edges, -0.5, count - 0.5, color=FAINT, linewidth=0.5)


def _write_counts(axes, matrix, shares, font_size):
    for row, column in np.argwhere(matrix):
        dark = shares[row, column] > (0.3 if row == column else 0.5)
        text = str(matrix[row, column])
        axes.text(column, row, text, ha="center", va="center", fontsize=font_size, color="white" if dark else INK)


def _draw_colour_key(axes, side):
    width, height = 1.2 / side, 0.16 / side
    key = axes.inset_axes([1 - width, 1 + 0.09 / side, width, height])
    shares = np.tile(np.linspace(0, 1, 100) ** 2, (2, 1))
    is_right = np.array([[True], [False]])
    key.imshow(_confusion_colours(shares, is_right), extent=(0, 1, 1, 0), aspect="auto")
    ticks = np.array([0, 0.1, 0.25, 0.5, 1])
    key.set_xticks(np.sqrt(ticks), [f"{100 * share:.0f}" for share in ticks[:-1]] + ["100 %"], fontsize=6)
    key.set_yticks([0.25, 0.75], ["right", "wrong"], fontsize=6)
    key.tick_params(length=0, pad=1.5, labeltop=True, labelbottom=False, labelcolor=GREY)
    key.spines[:].set(visible=True, color=FAINT)


def _verdict(labels, probabilities, class_names):
    """Returns the texts (true classes, negation, predicted class) and the confidence of a mistake."""
    if np.ndim(labels) == 0:
        predicted = probabilities.argmax()
        return class_names[labels], "", class_names[predicted], probabilities[predicted]
    worst = np.abs(labels - probabilities).argmax()
    true = " + ".join(class_names[index] for index in np.flatnonzero(labels)) or "none"
    if probabilities[worst] >= THRESHOLD:
        return true, "", class_names[worst], probabilities[worst]
    return true, "not ", class_names[worst], 1 - probabilities[worst]


def _draw_phases(axes, phase_spans, epochs):
    for number, (_, first, last) in enumerate(phase_spans):
        axes.axvspan(first - 0.5, last + 0.5, color="white" if number % 2 else PHASE_BAND, linewidth=0, zorder=0)
    names = [shorten(name, 24) for name, _, _ in phase_spans]
    axis = axes.secondary_xaxis("top")
    axis.set_xticks([(first + last) / 2 for _, first, last in phase_spans], names)
    inches = [(last - first + 1) / epochs * 0.85 * PANEL_WIDTH for _, first, last in phase_spans]
    crowded = any(0.08 * len(name) > room for name, room in zip(names, inches, strict=True))
    axis.tick_params(length=0, labelcolor=GREY, labelrotation=90 if crowded else 0)
    axis.spines[:].set_visible(False)


def _draw_curve(axes, values, label, **style):
    values = np.asarray(values, "float64")
    marker = "o" if len(values) <= 30 else None
    axes.plot(range(1, len(values) + 1), values, label=label, marker=marker, markersize=3, linewidth=1.6, **style)


def _draw_validation(axes, values, direction):
    """Draws the curve, and a ring at the best value if it is known whether that is the lowest or the highest."""
    values = np.asarray(values, "float64")
    if not np.isfinite(values).any():
        return
    if direction is None:
        _draw_curve(axes, values, "validation", color=BLUE)
        return
    best = int(np.nanargmin(values) if direction == "min" else np.nanargmax(values))
    _draw_curve(axes, values, f"validation, best {values[best]:.3g} at epoch {best + 1}", color=BLUE)
    axes.plot(best + 1, values[best], "o", markersize=8, markerfacecolor="none", markeredgecolor=BLUE)


def _finish_panel(axes, name, epochs):
    axes.set_title(name.replace("_", " ").capitalize(), pad=8)
    axes.set_xlabel("epoch", loc="right")
    axes.set_xlim(0.5, epochs + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.09), ncols=2)


def _percent(share):
    return f"{100 * share:.0f} %"
