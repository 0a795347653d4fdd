"""Plots of a detector: training boxes, detections beside the ground truth, and precision-recall curves."""

import matplotlib
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from tl_keras.evaluation.box_drawing import place_label
from tl_keras.evaluation.detection import above_threshold
from tl_keras.evaluation.detection_mistakes import match_detections
from tl_keras.evaluation.figures import BLUE, INK, ORANGE, add_image, saved_figure, shorten, write_below
from tl_keras.evaluation.fonts import drawable_names, shown_names
from tl_keras.system.spreading import spread_rows

IMAGES_PER_ROW = 3
TILE, CAPTION, MARGIN = 2.6, 0.22, 0.08
"""Side of an image, height of the caption below it, and distance between images, in inches."""
NAME_SIZE = 7
"""Size of the class names in points: legible where the plot is shown 800 pixels wide."""
MAX_NAMED_BOXES = 12
"""Maximum number of boxes in an image with class names; more boxes differ by colour alone."""
MAX_CURVES = 10
"""Maximum number of classes with a curve each; with more, only the mean is drawn."""


def plot_boxes(images, boxes, labels, names, class_names, path, count=15):
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
    rows = spread_rows(names, count).tolist()
    colours, class_names = _class_colours(len(class_names)), drawable_names(class_names)
    with saved_figure(path, *_size(len(rows), IMAGES_PER_ROW)) as figure:
        for place, row in enumerate(rows):
            real = np.asarray(labels[row]) >= 0
            real_boxes, real_labels = np.asarray(boxes[row])[real], np.asarray(labels[row])[real]
            axes = _add_image(figure, divmod(place, IMAGES_PER_ROW), images[row], names[row])
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
    class_names = drawable_names(class_names)
    with saved_figure(path, *_size(2 * len(rows), 2)) as figure:
        for place, row in enumerate(rows):
            verdicts, outcomes = matches[row]
            image = images[row]
            caption = f"ground truth, {outcomes.count('right')} of {len(outcomes)} found"
            axes = _add_image(figure, (place, 0), image, caption)
            captions = [class_names[label] for label in ground_truth_labels[row]]
            colours = [BLUE if outcome == "right" else ORANGE for outcome in outcomes]
            _draw_boxes(axes, ground_truth_boxes[row], colours, captions)
            axes = _add_image(figure, (place, 1), image, f"predicted in {names[row]}")
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
    shown = shown_names(precisions)
    with saved_figure(path, 5.4, 4.2) as figure:
        axes = figure.subplots()
        if len(precisions) <= MAX_CURVES:
            for colour, (name, precision) in zip(_class_colours(len(precisions)), precisions.items(), strict=True):
                average = metrics["per_class"][name]["average_precision_50"]
                label = f"{shorten(shown[name], 22)} {average:.2f}"
                axes.plot(recall, precision, color=colour, linewidth=1.4, label=label)
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


def _size(images, per_row):
    columns, rows = min(images, per_row), -(-images // per_row)
    return columns * (TILE + MARGIN) + MARGIN, rows * (TILE + CAPTION + MARGIN) + MARGIN


def _add_image(figure, place, image, caption):
    row, column = place
    left, top = MARGIN + column * (TILE + MARGIN), MARGIN + row * (TILE + CAPTION + MARGIN)
    axes = add_image(figure, image, left, top, TILE)
    write_below(axes, shorten(caption, 40))
    return axes


def _draw_boxes(axes, boxes, colours, captions):
    named, places = len(boxes) <= MAX_NAMED_BOXES, []
    for box, colour, caption in zip(np.asarray(boxes), colours, captions, strict=True):
        left, top, right, bottom = box
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.3))
        if named:
            background = {"facecolor": colour, "edgecolor": "none", "pad": 0.8}
            style = {"fontsize": NAME_SIZE, "color": "white", "va": "bottom", "bbox": background, "clip_on": True}
            text = axes.text(left, top, shorten(caption, 22), **style)
            places.append(_move_beside(axes, text, box, places))


def _move_beside(axes, text, box, others):
    """Moves the name of a box to where it is inside the image and covers no other name, and returns its place."""
    extent = text.get_window_extent().transformed(axes.transData.inverted())
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    place = place_label((extent.width, abs(extent.height)), box, (left, top, right, bottom), others)
    text.set_position((place[0], place[3]))
    return place
