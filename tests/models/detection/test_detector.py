import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.detection import detector_harness, tiny_detectors
from tests.models.detection.tiny_detectors import DETECTORS, RETINA, SINGLE, build_tiny, rectangles, tiny_backbone
from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.models.saved.size_check import check_built_sizes

ROOT = Path(__file__).parents[3]
IMAGES, TARGETS = rectangles(3)
FAST = [("faster_rcnn", 640), ("feature_pyramid", 320), ("retinanet", 416)]
REAL_SIZES = [
    pytest.param(name, size, marks=() if (name, size) in FAST else pytest.mark.slow)
    for name in DETECTORS
    for size in (320, 416, 640, 1024)
]
"""Sizes at which a map has more cells and anchors than a setting may have."""


@pytest.fixture(scope="module")
def detector():
    keras.utils.set_random_seed(0)
    return build_faster_rcnn(tiny_backbone(), 2, SINGLE)


@pytest.fixture(scope="module")
def detections(detector):
    return detector.predict(IMAGES, verbose=0)


def assert_same(detections, expected):
    for name in ("boxes", "scores", "labels"):
        np.testing.assert_allclose(detections[name], expected[name], atol=1e-3)


@pytest.mark.parametrize("check", detector_harness.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", DETECTORS)
def test_detector(name, check, tmp_path):
    check(name, tmp_path)


@pytest.mark.parametrize(("name", "size"), REAL_SIZES)
def test_a_detector_for_images_of_a_real_size_is_opened_again(name, size, tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_detectors, "SIZE", size)
    model = build_tiny(name).inference_model()
    check_built_sizes(model)
    save_model(model, tmp_path / "model.keras", class_names=["red", "blue"])
    assert open_model(tmp_path / "model.keras").input_shape == (None, size, size, 3)


def test_exported_model_needs_no_keras(detector, detections, tmp_path):
    detector.inference_model().export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    exported = loaded.serve(IMAGES.astype("float32"))
    assert_same({name: np.asarray(part) for name, part in exported.items()}, detections)


def test_weights_are_saved_and_loaded(detector, detections, tmp_path):
    detector.save_weights(tmp_path / "model.weights.h5")
    other = build_faster_rcnn(tiny_backbone(), 2, SINGLE)
    other.load_weights(tmp_path / "model.weights.h5")
    outputs = [model(IMAGES.astype("float32"))["class_logits"] for model in (detector, other)]
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_seed_of_samples_is_a_variable(detector):
    assert any("seed" in variable.path for variable in detector.variables)


def test_boxes_in_another_format_have_the_same_losses():
    keras.utils.set_random_seed(0)
    backbone = tiny_backbone()
    plain = build_retina_net(backbone, 2, RETINA)
    other = build_retina_net(backbone, 2, RETINA, bounding_box_format="rel_xywh")
    other.set_weights(plain.get_weights())
    boxes = TARGETS["boxes"]
    targets = {"boxes": np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1) / 64}
    images = IMAGES.astype("float32")
    expected = plain.compute_loss(images, TARGETS, plain(images))
    loss = other.compute_loss(images, targets | {"labels": TARGETS["labels"]}, other(images))
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_loss_is_the_mean_over_images_of_the_sum_of_losses(detector):
    outputs = detector(IMAGES.astype("float32"))
    losses = detector.image_losses(TARGETS["boxes"], TARGETS["labels"], outputs, training=False)
    total = detector.compute_loss(None, TARGETS, outputs, training=False)
    np.testing.assert_allclose(total, np.mean(sum(np.asarray(value) for value in losses.values())), rtol=1e-5)
    weighted = detector.compute_loss(None, TARGETS, outputs, sample_weight=np.array([1.0, 0.0, 0.0]), training=False)
    first = sum(float(value[0]) for value in losses.values())
    np.testing.assert_allclose(weighted, first / 3, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTORS)
def test_training_step_compiles_under_xla(name):
    keras.utils.set_random_seed(0)
    model = build_tiny(name)
    images = IMAGES.astype("float32")
    expected = model.compute_loss(images, TARGETS, model(images, training=True))
    model.compile(keras.optimizers.SGD(1e-4), jit_compile=True)
    before = np.asarray(model.trainable_variables[0])
    loss = model.train_on_batch(images, TARGETS, return_dict=True)["loss"]
    # Faster R-CNN draws another sample.
    np.testing.assert_allclose(loss, expected, rtol=0.2 if name in ("faster_rcnn", "feature_pyramid") else 0.01)
    assert not np.array_equal(model.trainable_variables[0], before)


MIRRORED = """
import sys
import keras, numpy as np, tensorflow as tf
from tests.models.detection.tiny_detectors import build_tiny, rectangles
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
images, targets = rectangles(4)
with strategy.scope():
    keras.utils.set_random_seed(0)
    model = build_tiny(sys.argv[1])
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
outputs = model(images.astype("float32"))
alone = float(model.compute_loss(None, targets, outputs, training=False))
together = model.evaluate(images, targets, batch_size=4, verbose=0)
history = model.fit(images, targets, batch_size=4, epochs=4, verbose=0).history
print(alone, together if isinstance(together, float) else together[0], *history["loss"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTORS)
def test_two_replicas_share_a_batch(name):
    command = [sys.executable, "-c", MIRRORED, name]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    alone, together, *history = map(float, printed.split())
    # Each replica draws its own sample or divides by its own number of boxes; YOLOv8 divides by its scores, at least 1.
    tolerance = {"retinanet": 0.01, "yolo_v8": 0.6}.get(name, 0.2)
    assert together == pytest.approx(alone, rel=tolerance)
    assert np.isfinite(history).all()
