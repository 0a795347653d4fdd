from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.detection.tiny_detectors import (
    D_FINE,
    DECODING,
    DETECTORS,
    PYRAMID,
    RETINA,
    SINGLE,
    SIZE,
    build_tiny_d_fine,
    rectangles,
    tiny_backbone,
)
from tl_keras.evaluation import detection_metrics
from tl_keras.models.detection.detect import detect
from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.detection.yolo_v8 import build_yolo_v8

IMAGES, TARGETS = rectangles(5)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = build_retina_net(tiny_backbone(), 2, RETINA)
    # A new head predicts 0.01 everywhere; these weights spread the scores.
    logits = model.get_layer("head.logits")
    logits.set_weights([100 * np.asarray(logits.kernel), np.zeros(logits.bias.shape)])
    return model


def test_each_image_has_its_detections_without_padding(model):
    detections = detect(model, IMAGES, batch_size=2)
    padded = model.predict(IMAGES, verbose=0)
    assert len(detections) == 5
    for index, image in enumerate(detections):
        count = (padded["scores"][index] >= 0).sum()
        assert (image["boxes"].shape, image["scores"].shape, image["labels"].shape) == ((count, 4), (count,), (count,))
        assert (np.diff(image["scores"]) <= 0).all() and (image["boxes"] >= 0).all()


def test_detections_below_the_threshold_are_dropped(model):
    threshold = np.median(np.concatenate([image["scores"] for image in detect(model, IMAGES)]))
    scores = np.concatenate([image["scores"] for image in detect(model, IMAGES, score_threshold=threshold)])
    assert len(scores) and scores.min() >= threshold


def test_datasets_and_inference_models_are_accepted(model):
    expected = detect(model, IMAGES)
    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, TARGETS)).batch(2)
    for detections in (detect(model, dataset), detect(model.inference_model(), IMAGES)):
        np.testing.assert_allclose(detections[4]["boxes"], expected[4]["boxes"], atol=1e-3)


def detector_for_eight_images(name):
    """Builds a small detector that can memorize eight images."""
    wide = {"num_proposals": 40, "head_samples": 32, "head_units": (64,), "pool_size": 4, "candidates_per_level": 100}
    if name == "yolo_v8":
        return build_yolo_v8("yolo_v8_xs", 2, SIZE, DECODING)
    if name == "d_fine":
        return build_tiny_d_fine(size=replace(D_FINE, neck=(32, 32), decoder=(32, 32), points=(4, 4)))
    backbone = tiny_backbone(width=16)
    if name == "retinanet":
        return build_retina_net(backbone, 2, replace(RETINA, channels=32))
    settings = replace(SINGLE, **wide) if name == "faster_rcnn" else replace(PYRAMID, channels=32, **wide)
    return build_faster_rcnn(backbone, 2, settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_memorizes_eight_images(name):
    keras.utils.set_random_seed(0)
    images, targets = rectangles(8)
    model = detector_for_eight_images(name)
    epochs = {"d_fine": 250, "yolo_v8": 200}.get(name, 400)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, epochs)), jit_compile=False)
    model.fit(images, targets, batch_size=8, epochs=epochs, verbose=0)
    real = [labels >= 0 for labels in targets["labels"]]
    boxes = [part[is_box] for part, is_box in zip(targets["boxes"], real, strict=True)]
    labels = [part[is_box] for part, is_box in zip(targets["labels"], real, strict=True)]
    metrics = detection_metrics(boxes, labels, detect(model, images), ["red", "blue"])
    assert metrics["average_precision_50"] > 0.9
