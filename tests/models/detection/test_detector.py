import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_detectors import RETINA, SINGLE, build_tiny, rectangles, tiny_backbone

from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.saving import open_model, save_model
from tl_keras.models.weight_matching import layers_with_weights
from tl_keras.models.weights import load_weights

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
