"""A table of the detections in the test images and of the boxes that were missed, with the kind of each mistake."""

import csv

from tl_keras import evaluation
from tl_keras.system.csv_files import open_csv
from tl_keras.system.escaping import csv_cell

SIDES = ("xmin", "ymin", "xmax", "ymax")
COLUMNS = [
    *("name", "split", "label", "prediction", "score", "iou", "outcome"),
    *(f"ground_truth_{side}" for side in SIDES),
    *SIDES,
]
NOTHING = ("",) * len(SIDES)


def write_detections(path, split, examples, ground_truth_boxes, predictions):
    """Writes `predictions.csv` of a detector; cells that spreadsheets would take for formulas are escaped.

    A row is a detection with the ground truth box that it concerns, if there is one, or a missed box; `outcome` is
    "right" or one of `evaluation.MISTAKES`.

    Args:
        path: the file.
        split: name of the split.
        examples: `BoxSet` of n images.
        ground_truth_boxes: list of n float (k, 4), xyxy in pixels of the original images.
        predictions: list of n dicts of `boxes`, (j, 4) as above, `scores` and `labels`, those that count.
    """
    with open_csv(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row, (boxes, prediction) in enumerate(zip(ground_truth_boxes, predictions, strict=True)):
            for cells in _rows(boxes, examples.labels[row], prediction, examples.class_names):
                writer.writerow([csv_cell(examples.names[row]), csv_cell(split), *cells])


def _rows(boxes, labels, prediction, class_names):
    """Yields the cells of each detection in an image, and of each box that was missed, from the label on."""
    verdicts, outcomes, places, ious = evaluation.assign_detections(boxes, labels, prediction)
    names = [csv_cell(class_names[label]) for label in labels]
    for row, verdict in enumerate(verdicts):
        place, label = places[row], csv_cell(class_names[prediction["labels"][row]])
        name, iou, truth = (names[place], f"{ious[row]:.4f}", _sides(boxes[place])) if place >= 0 else ("", "", NOTHING)
        box = _sides(prediction["boxes"][row])
        yield name, label, f"{prediction['scores'][row]:.6f}", iou, verdict, *truth, *box
    for place, outcome in enumerate(outcomes):
        if outcome == "missed":
            yield names[place], "", "", "", outcome, *_sides(boxes[place]), *NOTHING


def _sides(box):
    return [f"{side:.1f}" for side in box]
