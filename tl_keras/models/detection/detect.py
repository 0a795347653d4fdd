"""Runs a detector over images and hands back what it found, image by image."""

import numpy as np


def detect(model, images, *, score_threshold=0.0, batch_size=8):
    """Finds the objects in images.

    Args:
        model: `Detector`, its `inference_model`, or that model opened again.
        images: uint8 or float32 (n, image_size, image_size, 3), RGB, 0 to 255, or a `tf.data.Dataset` of batches of
            them, with or without targets.
        score_threshold: detections of a lower score are left out, 0 to 1; the model itself left out those below the
            `score_threshold` of its `DecodingSettings`.
        batch_size: images computed at once; a dataset has its own.

    Returns:
        List of a dict for each image: `boxes`, float32 (k, 4), xyxy in pixels unless the model was built for another
        format, `scores`, float32 (k,), 0 to 1, best first, and `labels`, int32 (k,).
    """
    options = {"batch_size": batch_size} if isinstance(images, np.ndarray) else {}
    found = model.predict(images, verbose=0, **options)
    keep = found["scores"] >= max(score_threshold, 0.0)
    return [
        {name: found[name][index][keep[index]] for name in ("boxes", "scores", "labels")} for index in range(len(keep))
    ]
