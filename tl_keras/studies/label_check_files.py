"""Writes and prints the suspicious labels of a data set."""

import csv

import numpy as np

from tl_keras import evaluation
from tl_keras.errors import counted, part_of
from tl_keras.studies.result_tables import DECISION
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
    task, names, errors = TASKS[config.task], check.class_names, check.errors
    paths = [folder / "label_check.csv"]
    head = (
        *task.example_columns,
        "split",
        "label",
        "suggested",
        "label_probability",
        "suggested_probability",
        "confident",
        DECISION,
    )
    with open_csv(paths[0]) as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row, other, confident in zip(errors.rows, errors.suggested, errors.confident, strict=True):
            texts = (*check.cells[row], check.splits[row], names[check.labels[row]], names[other])
            figures = [f"{check.probabilities[row, one]:.4f}" for one in (check.labels[row], other)]
            writer.writerow([*map(csv_cell, texts), *figures, "yes" if confident else "no", ""])
    paths += _write_others(check, config, folder)
    (folder / "label_check.png").unlink(missing_ok=True)
    images = [part.images for part in check.parts.values() if hasattr(part, "images")]
    if images and len(errors.rows):
        chosen = errors.rows[:ON_SHEET]
        suggested = np.eye(len(names))[errors.suggested[:ON_SHEET]]
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


def _write_others(check, config, folder):
    """Writes the near-duplicates and the examples far from all others, if there are any."""
    columns, paths = TASKS[config.task].example_columns, []

    def describe(row):
        return [*map(csv_cell, check.cells[row]), check.splits[row], csv_cell(check.class_names[check.labels[row]])]

    tables = {
        "near_duplicates.csv": [[*describe(row), *describe(other)] for row, other in check.near_duplicates],
        "far.csv": [describe(row) for row in check.far],
    }
    for name, rows in tables.items():
        if rows:
            heads = [[f"{end}{one}" for one in (*columns, "split", "label")] for end in ("", "other_")]
            with open_csv(folder / name) as file:
                writer = csv.writer(file)
                writer.writerow(sum(heads, [])[: len(rows[0])])
                writer.writerows(rows)
            paths.append(folder / name)
        else:
            # An earlier check of the same folder may have found some.
            (folder / name).unlink(missing_ok=True)
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
    errors, names = check.errors, check.class_names
    count = len(errors.rows)
    if not count:
        return [f"None of {counted(len(check.labels), 'label')} is suspicious.", *_other_lines(check)]
    share = " (about half of those are really wrong, as measured on other data)" if errors.confident.any() else ""
    lines = [
        f"{part_of(count, len(check.labels), 'label')} suspicious, {errors.confident_share}{share}; nothing was "
        "changed:"
    ]
    for row, other in list(zip(errors.rows, errors.suggested, strict=True))[:SHOWN]:
        label, scores = check.labels[row], check.probabilities[row]
        lines.append(
            f"  {check.cells[row][-1]} ({check.splits[row]}): {names[label]} {scores[label]:.2f}, suggested "
            f"{names[other]} {scores[other]:.2f}"
        )
    pairs = [f"{label} → {other} ({number})" for (label, other), number in check.confusions[:SHOWN] if number > 1]
    return [*lines, *([f"most often: {', '.join(pairs)}"] if pairs else []), *_other_lines(check)]


def _other_lines(check):
    """Returns sentences on near-duplicates, examples far from all others and classes that cannot be distinguished."""
    lines, names = [], check.class_names
    if check.near_duplicates:
        conflicts = sum(check.labels[row] != check.labels[other] for row, other in check.near_duplicates)
        across = sum(check.splits[row] != check.splits[other] for row, other in check.near_duplicates)
        lines.append(
            f"{counted(len(check.near_duplicates), 'pair')} of near-duplicates, {conflicts} of them with different "
            f"labels and {across} in different splits"
        )
    if len(check.far):
        lines.append(
            f"{counted(len(check.far), 'example is', 'examples are')} far from all others, first "
            f"{check.cells[check.far[0]][-1]}"
        )
    lines += [
        f"{names[one]} and {names[other]} can hardly be distinguished: {share:.0%} of them are, and guessing gives 50 %"
        for one, other, share in check.inseparable[:SHOWN]
    ]
    return lines
