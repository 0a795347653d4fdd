"""Detections of a detector as one dictionary per image."""

import numpy as np

from tl_keras.errors import InputError
from tl_keras.models.predicting import predict_arrays


def detect(model, images, *, score_threshold=0.0, batch_size=8):
    """Detects the objects in images.

    Args:
        model: `Detector`, or its `inference_model`, also from `open_detector`.
        images: uint8 or float32 (n, image_size, image_size, 3), RGB, 0 to 255, or a `tf.data.Dataset` of batches of
            them, with or without targets.
        score_threshold: minimum score, 0 to 1. The model itself applies the `score_threshold` of its
            `DecodingSettings`.
        batch_size: images per batch; ignored for a dataset.

    Returns:
        List of one dict per image: `boxes`, float32 (k, 4), in the `bounding_box_format` of the model, `scores`,
        float32 (k,), 0 to 1, best first, and `labels`, int32 (k,).
    """
    if isinstance(images, np.ndarray):
        detections = predict_arrays(model, images, batch_size)
    else:
        detections = model.predict(images, verbose=0)
    return split_detections(detections, score_threshold)


def split_detections(detections, score_threshold=0.0):
    """Splits padded detections of a batch into one dict per image.

    Args:
        detections: dict of `boxes`, (batch, n, 4), `scores` and `labels`, (batch, n); scores below 0 are padding.
        score_threshold: minimum score, 0 to 1.

    Returns:
        List of one dict per image, as `detect` returns them.

    Raises:
        InputError: a score is NaN.
    """
    if np.isnan(detections["scores"]).any():
        raise InputError("The model returned scores or boxes with NaN: it is damaged, or its training diverged.")
    is_kept = detections["scores"] >= max(score_threshold, 0.0)
    return [
        {name: detections[name][index][is_kept[index]] for name in ("boxes", "scores", "labels")}
        for index in range(len(is_kept))
    ]
