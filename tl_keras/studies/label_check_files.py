"""Writes and prints the suspicious labels of a data set."""

import csv

import numpy as np

from tl_keras import evaluation
from tl_keras.system.csv_files import open_csv
from tl_keras.system.escaping import csv_cell
from tl_keras.tasks.registry import TASKS

SHOWN = 10
"""Suspicious labels and pairs of classes in the terminal."""
ON_SHEET = 32
"""Images on the contact sheet."""


def write_label_check(check, config, folder):
    """Writes `label_check.csv` and, for images, the contact sheet `label_check.png`.

    Args:
        check: `LabelCheck`.
        config: `RunConfig`.
        folder: `pathlib.Path` of the folder, created if missing.

    Returns:
        List of the `pathlib.Path` of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    task, names = TASKS[config.task], check.class_names
    paths = [folder / "label_check.csv"]
    head = (*task.example_columns, "split", "label", "suggested", "label_probability", "suggested_probability")
    with open_csv(paths[0]) as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row, other in zip(check.rows, check.suggested, strict=True):
            texts = (*check.cells[row], check.splits[row], names[check.labels[row]], names[other])
            figures = [f"{check.probabilities[row, one]:.4f}" for one in (check.labels[row], other)]
            writer.writerow([*map(csv_cell, texts), *figures])
    images = [part.images for part in check.parts.values() if hasattr(part, "images")]
    if images and len(check.rows):
        chosen = check.rows[:ON_SHEET]
        suggested = np.eye(len(names))[check.suggested[:ON_SHEET]]
        evaluation.plot_mistakes(
            [_image(images, row) for row in chosen],
            check.labels[chosen],
            suggested * check.probabilities[chosen],
            [check.cells[row][0] for row in chosen],
            names,
            folder / "label_check.png",
            ON_SHEET,
        )
        paths.append(folder / "label_check.png")
    return paths


def _image(parts, row):
    """Returns an image by its row in several parts one after the other."""
    for images in parts:
        if row < len(images):
            return images[row]
        row -= len(images)
    raise IndexError(row)


def summary_lines(check):
    """Returns what a user reads in the terminal, a list of lines.

    Args:
        check: `LabelCheck`.
    """
    count, names = len(check.rows), check.class_names
    if not count:
        return [f"None of {len(check.labels)} labels is suspicious."]
    lines = [f"{count} of {len(check.labels)} labels are suspicious, the most suspicious first; nothing was changed:"]
    for row, other in list(zip(check.rows, check.suggested, strict=True))[:SHOWN]:
        label, scores = check.labels[row], check.probabilities[row]
        lines.append(
            f"  {check.cells[row][-1]} ({check.splits[row]}): {names[label]} {scores[label]:.2f}, suggested "
            f"{names[other]} {scores[other]:.2f}"
        )
    pairs = [f"{label} → {other} ({number})" for (label, other), number in check.confusions[:SHOWN] if number > 1]
    return lines + ([f"most often: {', '.join(pairs)}"] if pairs else [])
