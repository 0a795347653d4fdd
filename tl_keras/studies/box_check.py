"""Finds the images of a detector's run whose detections and boxes disagree most: their boxes may be wrong."""

import csv
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tl_keras import evaluation
from tl_keras.data.records import SPLITS
from tl_keras.errors import counted
from tl_keras.system.csv_files import open_csv
from tl_keras.system.escaping import csv_cell

SHOWN = 10
"""Images in the terminal."""
ON_SHEET = 8
"""Images in the plot."""
COUNTED = {
    "unlabelled": ("background",),
    "undetected": ("missed",),
    "other_class": ("wrong_class", "wrong_class_and_badly_placed"),
    "badly_placed": ("badly_placed",),
}
"""Columns of the table, and the verdicts of `evaluation.MISTAKES` that each counts."""


@dataclass(frozen=True, eq=False)
class BoxCheck:
    """Holds the images of a run, those that disagree most first.

    Attributes:
        rows: list of dict(name, split, boxes, disagreement) with the counts of `COUNTED`; without those that agree.
        examples: list of (part, row in it) for each of them.
        predictions: list of the detections in each of them.
        score_threshold: score from which a detection counts.
        total: number of all images.
    """

    rows: list
    examples: list
    predictions: list
    score_threshold: float
    total: int


def check_boxes(run):
    """Compares the boxes of a run's data with the detections of its model.

    The disagreement of an image is the sum of the scores of its wrong detections, and one for each box without any.

    Args:
        run: `TrainedRun` of a detector.

    Returns:
        `BoxCheck` over all splits. The model has learned from the training boxes, so that it repeats some mistakes.

    Raises:
        InputError: the data of the run cannot be used any more.
    """
    splits, threshold, found, total = run.task.load_data(run.config), run.score_threshold, [], 0
    for name in SPLITS:
        part = getattr(splits, name)
        total += len(part)
        for row, prediction in enumerate(run.predict_set(part) if len(part) else ()):
            prediction = evaluation.above_threshold(prediction, threshold)
            verdicts, outcomes = evaluation.match_detections(part.boxes[row], part.labels[row], prediction)
            counts = Counter([*verdicts, *outcomes])
            wrong = np.array([verdict in _ALL for verdict in verdicts], bool)
            disagreement = float(np.asarray(prediction["scores"])[wrong].sum()) + outcomes.count("missed")
            line = {"name": part.names[row], "split": name, "boxes": len(outcomes), "disagreement": disagreement}
            line |= {column: sum(counts[kind] for kind in kinds) for column, kinds in COUNTED.items()}
            if disagreement:
                found.append((line, (part, row), prediction))
    found.sort(key=lambda one: -one[0]["disagreement"])
    lines, examples, predictions = ([one[column] for one in found] for column in range(3))
    return BoxCheck(lines, examples, predictions, threshold, total)


_ALL = {kind for kinds in COUNTED.values() for kind in kinds}


def write_box_check(check, class_names, folder):
    """Writes `box_check.csv` and, if any image disagrees, `box_check.png`.

    Args:
        check: `BoxCheck`.
        class_names: names of the classes.
        folder: `pathlib.Path` of the folder, created if missing.

    Returns:
        List of the `pathlib.Path` of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "box_check.csv"]
    with open_csv(paths[0]) as file:
        writer = csv.writer(file)
        writer.writerow(["name", "split", "boxes", "disagreement", *COUNTED])
        for row in check.rows:
            cells = row | {"name": csv_cell(row["name"]), "disagreement": f"{row['disagreement']:.3f}"}
            writer.writerow(cells.values())
    (folder / "box_check.png").unlink(missing_ok=True)
    if check.rows:
        shown = check.examples[:ON_SHEET]
        evaluation.plot_detections(
            [part.images[row] for part, row in shown],
            [part.boxes[row] for part, row in shown],
            [part.labels[row] for part, row in shown],
            check.predictions[:ON_SHEET],
            [row["name"] for row in check.rows[:ON_SHEET]],
            class_names,
            folder / "box_check.png",
            score_threshold=check.score_threshold,
        )
        paths.append(folder / "box_check.png")
    return paths


def summary_lines(check):
    """Returns what a user reads in the terminal, a list of lines.

    Args:
        check: `BoxCheck`.
    """
    lines = [
        f"in {len(check.rows)} of {counted(check.total, 'image')} boxes and detections disagree; nothing was changed:"
    ]
    for row in check.rows[:SHOWN]:
        counts = ", ".join(f"{row[column]} {column.replace('_', ' ')}" for column in COUNTED if row[column])
        lines.append(f"  {row['name']} ({row['split']}, {counted(row['boxes'], 'box')}): {counts}")
    return lines
