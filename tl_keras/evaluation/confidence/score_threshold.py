"""Description of the score from which detections count, and of what its choice rests on."""

from tl_keras.errors import counted

DEFAULT_THRESHOLD = 0.5
"""Score threshold where no prediction is correct at any score, so that none can be chosen."""
MIN_BOXES = 30
"""Boxes from which a chosen threshold gets no caution: their recall has a 95 % interval of up to 18 points each way."""


def format_threshold(threshold):
    """Formats a score with two digits after the point, or as many as distinguish it from 0 and 1.

    Args:
        threshold: float, 0 to 1.

    Returns:
        str, such as "0.37" or "0.99995".
    """
    shown = (f"{threshold:.{digits}f}" for digits in range(2, 9))
    return next((text for text in shown if 0 < float(text) < 1), f"{threshold:g}")


def describe_threshold(threshold, num_images, num_boxes):
    """Describes what a score threshold rests on that `best_threshold` chose.

    Args:
        threshold: float, 0 to 1.
        num_images: number of validation images.
        num_boxes: number of boxes in them.

    Returns:
        A sentence; with few boxes also a caution.
    """
    shown = format_threshold(threshold)
    places = f"the {counted(num_boxes, 'box', 'boxes')} in {counted(num_images, 'validation image')}"
    if threshold == DEFAULT_THRESHOLD:
        return f"No detection finds any of {places}, so that no score is best: detections count from {shown}."
    sentence = f"Detections count from a score of {shown}, which has the best F1 on {places}."
    if num_boxes >= MIN_BOXES:
        return sentence
    return (
        f"{sentence} So few boxes say little about other images: compare several values of predict --score_threshold."
    )
