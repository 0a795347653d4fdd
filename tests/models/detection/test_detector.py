import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.detection.tiny_detectors import DETECTORS, RETINA, SINGLE, build_tiny, rectangles, tiny_backbone
from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.models.weights.loading import load_weights
from tl_keras.models.weights.matching import layers_with_weights
from tl_keras.transfer.activations.cuts import find_phase_cut
from tl_keras.transfer.freezing import block_names

ROOT = Path(__file__).parents[3]
IMAGES, TARGETS = rectangles(3)


@pytest.fixture(scope="module")
def detector():
    keras.utils.set_random_seed(0)
    return build_faster_rcnn(tiny_backbone(), 2, SINGLE)


@pytest.fixture(scope="module")
def detections(detector):
    return detector.predict(IMAGES, verbose=0)


def assert_same(found, expected):
    for name in ("boxes", "scores", "labels"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-3)


def test_predict_gives_padded_detections(detections):
    assert {name: part.shape for name, part in detections.items()} == {
        "boxes": (3, 20, 4),
        "scores": (3, 20),
        "labels": (3, 20),
    }
    assert (detections["scores"][:, 0] > 0).all() and set(np.unique(detections["labels"])) <= {-1, 0, 1}


def test_the_inference_model_is_saved_and_opened(detector, detections, tmp_path):
    detector.class_names = ("red", "blue")
    save_model(detector.inference_model(), tmp_path / "model.keras", class_names=detector.class_names)
    assert_same(open_model(tmp_path / "model.keras").predict(IMAGES, verbose=0), detections)


def test_the_exported_model_needs_no_keras(detector, detections, tmp_path):
    detector.inference_model().export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    found = loaded.serve(IMAGES.astype("float32"))
    assert_same({name: np.asarray(part) for name, part in found.items()}, detections)


def test_weights_are_saved_and_loaded(detector, detections, tmp_path):
    detector.save_weights(tmp_path / "model.weights.h5")
    other = build_faster_rcnn(tiny_backbone(), 2, SINGLE)
    other.load_weights(tmp_path / "model.weights.h5")
    outputs = [model(IMAGES.astype("float32"))["class_logits"] for model in (detector, other)]
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_the_random_samples_are_part_of_its_state(detector):
    assert any("seed" in variable.path for variable in detector.variables)


def test_boxes_in_another_format_give_the_same_losses():
    keras.utils.set_random_seed(0)
    backbone = tiny_backbone()
    plain = build_retina_net(backbone, 2, RETINA)
    other = build_retina_net(backbone, 2, RETINA, bounding_box_format="rel_xywh")
    other.set_weights(plain.get_weights())
    boxes = TARGETS["boxes"]
    targets = {"boxes": np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1) / 64}
    images = IMAGES.astype("float32")
    expected = plain.compute_loss(images, TARGETS, plain(images))
    found = other.compute_loss(images, targets | {"labels": TARGETS["labels"]}, other(images))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_loss_is_the_mean_of_all_losses_over_the_images(detector):
    outputs = detector(IMAGES.astype("float32"))
    losses = detector.image_losses(TARGETS["boxes"], TARGETS["labels"], outputs, training=False)
    total = detector.compute_loss(None, TARGETS, outputs, training=False)
    np.testing.assert_allclose(total, np.mean(sum(np.asarray(value) for value in losses.values())), rtol=1e-5)
    weighted = detector.compute_loss(None, TARGETS, outputs, sample_weight=np.array([1.0, 0.0, 0.0]), training=False)
    first = sum(float(value[0]) for value in losses.values())
    np.testing.assert_allclose(weighted, first / 3, rtol=1e-5)


def class_rows(model, label):
    """What the model knows of one class, as a list of arrays."""
    layers = {layer.name: layer for layer in layers_with_weights(model)}
    arrays = [array for name in model.class_layers for array in layers[name].read()]
    return [array.reshape(*array.shape[:-1], -1, model.num_classes)[..., label] for array in arrays]


@pytest.mark.parametrize("name", ["faster_rcnn", "retinanet", "yolo_v8", "d_fine"])
def test_classes_known_by_name_keep_their_weights(name, tmp_path):
    keras.utils.set_random_seed(0)
    old, new = build_tiny(name, 3), build_tiny(name, 2)
    old.class_names, new.class_names = ("a", "b", "c"), ("c", "d")
    for model in (old, new):
        for variable in model.trainable_variables:
            variable.assign_add(keras.random.normal(variable.shape, stddev=0.1))
    fresh = class_rows(new, 1)
    save_model(old, tmp_path / "old.keras")
    report = load_weights(new, tmp_path / "old.keras")
    assert report.kept_classes == ("c",) and not report.missing and not report.unexpected
    assert set(report.clashes) == {f"{layer} (other classes)" for layer in new.class_layers}
    for found, given in zip(class_rows(new, 0), class_rows(old, 2), strict=True):
        np.testing.assert_array_equal(found, given)
    for found, before in zip(class_rows(new, 1), fresh, strict=True):
        np.testing.assert_array_equal(found, before)
    others = [layer for layer in layers_with_weights(new) if layer.name not in new.class_layers]
    given = {layer.name: layer.read() for layer in layers_with_weights(old)}
    for layer in others:
        for found, expected in zip(layer.read(), given[layer.name], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTORS)
def test_its_step_compiles_under_xla(name):
    keras.utils.set_random_seed(0)
    model = build_tiny(name)
    images = IMAGES.astype("float32")
    expected = model.compute_loss(images, TARGETS, model(images, training=True))
    model.compile(keras.optimizers.SGD(1e-4), jit_compile=True)
    before = np.asarray(model.trainable_variables[0])
    found = model.train_on_batch(images, TARGETS, return_dict=True)["loss"]
    # Faster R-CNN draws another sample.
    np.testing.assert_allclose(found, expected, rtol=0.2 if name in ("faster_rcnn", "feature_pyramid") else 0.01)
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
    # Each replica draws its own sample, or divides by its own number of boxes; YOLOv8 by its scores, but at least 1.
    tolerance = {"retinanet": 0.01, "yolo_v8": 0.6}.get(name, 0.2)
    assert together == pytest.approx(alone, rel=tolerance)
    assert np.isfinite(history).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_the_whole_backbone_lies_before_one_cut(name):
    model = build_tiny(name)
    learning = ["neck", "proposals", "head"]
    cut = find_phase_cut(model, learning)
    before = keras.Model(model.input, cut)
    assert {layer.name.split(".")[0] for layer in before.layers if layer.weights} == {
        block for block in block_names(model) if block not in learning
    }
    behind = model.behind(cut)(before(IMAGES.astype("float32")))
    keras.tree.map_structure(
        lambda one, other: np.testing.assert_allclose(one, other, atol=1e-4), behind, model(IMAGES.astype("float32"))
    )
