"""Plots of a detector: training boxes, detections beside the ground truth, and precision-recall curves."""

import matplotlib
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from tl_keras.evaluation.detection import above_threshold
from tl_keras.evaluation.detection_mistakes import match_detections
from tl_keras.evaluation.figures import BLUE, INK, ORANGE, add_image, saved_figure, shorten, write_below

IMAGES_PER_ROW = 4
TILE, CAPTION, MARGIN = 2.6, 0.22, 0.08
"""Side of an image, height of the caption below it, and distance between images, in inches."""
MAX_NAMED_BOXES = 12
"""Maximum number of boxes in an image with class names; more boxes differ by colour alone."""
MAX_CURVES = 10
"""Maximum number of classes with a curve each; with more, only the mean is drawn."""


def plot_boxes(images, boxes, labels, names, class_names, path, count=16):
    """Draws images with their boxes, so that wrong boxes can be seen before training.

    Args:
        images: uint8 or float (n, height, width, 3), RGB, 0 to 255: an array, or anything with `images[int]`.
        boxes: sequence of n float (k, 4), xyxy in pixels; may be padded.
        labels: sequence of n int (k,), class indices; -1 marks padding.
        names: sequence of n strings, the names of the images.
        class_names: sequence of class names.
        path: the PNG file to write.
        count: maximum number of images, evenly spread over all.
    """
    rows = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).astype(int)).tolist()
    colours = _class_colours(len(class_names))
    with saved_figure(path, *_size(len(rows))) as figure:
        for place, row in enumerate(rows):
            real = np.asarray(labels[row]) >= 0
            real_boxes, real_labels = np.asarray(boxes[row])[real], np.asarray(labels[row])[real]
            axes = _add_image(figure, place, images[row], names[row])
            captions = [class_names[label] for label in real_labels]
            _draw_boxes(axes, real_boxes, [colours[label] for label in real_labels], captions)


def plot_detections(
    images,
    ground_truth_boxes,
    ground_truth_labels,
    predictions,
    names,
    class_names,
    path,
    *,
    score_threshold=0.5,
    count=8,
):
    """Draws ground truth boxes on the left and predicted boxes on the right.

    Correct predictions and found objects are blue, mistakes and missed objects orange. Images with the most mistakes
    come first.

    Args:
        images: uint8 or float (n, height, width, 3), RGB, 0 to 255: an array, or anything with `images[int]`.
        ground_truth_boxes: sequence of n float (k, 4), xyxy in pixels.
        ground_truth_labels: sequence of n int (k,).
        predictions: sequence of n dicts of boxes (j, 4), scores (j,), labels (j,).
        names: sequence of n strings, the names of the images.
        class_names: sequence of class names.
        path: the PNG file to write.
        score_threshold: minimum score of the predictions to draw.
        count: maximum number of images.
    """
    detections = [above_threshold(prediction, score_threshold) for prediction in predictions]
    images_with_boxes = zip(ground_truth_boxes, ground_truth_labels, detections, strict=True)
    matches = [match_detections(*image) for image in images_with_boxes]
    mistakes = [sum(verdict != "right" for verdict in (*verdicts, *outcomes)) for verdicts, outcomes in matches]
    rows = np.argsort(-np.array(mistakes), kind="stable")[:count].tolist()
    with saved_figure(path, *_size(2 * len(rows))) as figure:
        for place, row in enumerate(rows):
            verdicts, outcomes = matches[row]
            image = images[row]
            caption = f"ground truth, {outcomes.count('right')} of {len(outcomes)} found"
            axes = _add_image(figure, 2 * place, image, caption)
            captions = [class_names[label] for label in ground_truth_labels[row]]
            colours = [BLUE if outcome == "right" else ORANGE for outcome in outcomes]
            _draw_boxes(axes, ground_truth_boxes[row], colours, captions)
            axes = _add_image(figure, 2 * place + 1, image, f"predicted in {names[row]}")
            predicted = zip(detections[row]["labels"], detections[row]["scores"], strict=True)
            captions = [f"{class_names[label]} {100 * score:.0f} %" for label, score in predicted]
            colours = [BLUE if verdict == "right" else ORANGE for verdict in verdicts]
            _draw_boxes(axes, detections[row]["boxes"], colours, captions)


def plot_precision_recall(metrics, path):
    """Draws the precision-recall curve at IoU 0.5 of each class and of their mean.

    Args:
        metrics: dict that `detection_metrics` returned.
        path: the PNG file to write.
    """
    curves = metrics["precision_recall"]
    recall, precisions = curves["recall"], curves["precision"]
    with saved_figure(path, 5.4, 4.2) as figure:
        axes = figure.subplots()
        if len(precisions) <= MAX_CURVES:
            for colour, (name, precision) in zip(_class_colours(len(precisions)), precisions.items(), strict=True):
                average = metrics["per_class"][name]["average_precision_50"]
                axes.plot(recall, precision, color=colour, linewidth=1.4, label=f"{shorten(name, 22)} {average:.2f}")
        if len(precisions) != 1:
            mean = np.mean(list(precisions.values()), axis=0)
            label = f"mean {metrics['average_precision_50']:.2f}"
            axes.plot(recall, mean, color=INK, linewidth=2.2, linestyle=(0, (4, 1.5)), label=label)
        axes.set_title("Precision and recall at IoU 0.5", pad=8)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        axes.grid()
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _class_colours(count):
    palette = matplotlib.colormaps["tab10" if count <= 10 else "tab20"]
    return [to_hex(palette(number % palette.N)) for number in range(count)]


def _size(images):
    columns, rows = min(images, IMAGES_PER_ROW), -(-images // IMAGES_PER_ROW)
    return columns * (TILE + MARGIN) + MARGIN, rows * (TILE + CAPTION + MARGIN) + MARGIN


def _add_image(figure, place, image, caption):
    row, column = divmod(place, IMAGES_PER_ROW)
    left, top = MARGIN + column * (TILE + MARGIN), MARGIN + row * (TILE + CAPTION + MARGIN)
    axes = add_image(figure, image, left, top, TILE)
    write_below(axes, shorten(caption, 40))
    return axes


def _draw_boxes(axes, boxes, colours, captions):
    named = len(boxes) <= MAX_NAMED_BOXES
    for (left, top, right, bottom), colour, caption in zip(np.asarray(boxes), colours, captions, strict=True):
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.3))
        if named:
            background = {"facecolor": colour, "edgecolor": "none", "pad": 0.8}
            axes.text(
                *(left, max(top, 0.0), shorten(caption, 22)),
                **{"fontsize": 5.5, "color": "white", "va": "bottom", "bbox": background, "clip_on": True},
            )
