import hashlib
import subprocess
import sys
from pathlib import Path

import keras
import keras_hub
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.detection import FasterRCNNSettings, RetinaNetSettings, building
from tl_keras.models.detection.building import BOX_FORMATS, build_object_detector, open_detector
from tl_keras.models.images.classifiers import build_image_classifier
from tl_keras.models.saved.saving import save_model
from tl_keras.transfer.freezing import block_names

ROOT = Path(__file__).parents[3]
SINGLE = FasterRCNNSettings(
    feature_pyramid=False,
    channels=8,
    anchor_sizes=(16.0, 32.0),
    candidates_per_level=20,
    num_proposals=10,
    head_units=(8,),
    pool_size=2,
)


def build(name="faster_rcnn", num_classes=2, **options):
    defaults = {"backbone": "vgg16", "image_size": 32, "weights": None, "settings": SINGLE}
    return build_object_detector(name, num_classes, **{**defaults, **options})


@pytest.fixture(scope="module")
def detector():
    return build(class_names=["a", "b"])


def test_vgg16_uses_the_map_of_stride_16_as_in_the_paper(detector):
    assert block_names(detector) == ["block1", "block2", "block3", "block4", "block5", "proposals", "head"]
    assert detector.output["features"][0]._keras_history.operation.name == "block5.conv3"
    assert (detector.class_names, detector.num_classes, detector.image_size) == (("a", "b"), 2, 32)
    assert detector.bounding_box_format == "xyxy" and detector.weights_report is None


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["resnet50", "efficientnet_lite0", "mobilenet_v2"])
@pytest.mark.parametrize("name", ["faster_rcnn", "retinanet"])
def test_faster_rcnn_and_retinanet_accept_all_backbones(name, backbone):
    model = build(name, backbone=backbone, image_size=64, settings=None)
    blocks = block_names(model)
    assert blocks[-2:] == (["proposals", "head"] if name == "faster_rcnn" else ["neck", "head"])
    assert model.predict(np.zeros((1, 64, 64, 3), "uint8"), verbose=0)["boxes"].shape == (1, 100, 4)


@pytest.mark.slow
def test_imagenet_weights_are_loaded_into_the_detector():
    model = build(backbone="efficientnet_lite0", image_size=64, weights="imagenet")
    classifier = build_image_classifier("efficientnet_lite0", 2, image_size=64)
    for layer in ("stem.conv", "block5.c_project_bn"):
        for weight, expected in zip(
            model.get_layer(layer).get_weights(), classifier.get_layer(layer).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(weight, expected)


def test_yolo_v8_is_built_by_its_size():
    model = build("yolo_v8", backbone="yolo_v8_xs", image_size=64, settings=None)
    assert model.name == "yolo_v8_xs" and block_names(model)[-2:] == ["neck", "head"]


@pytest.mark.parametrize(
    "name, kind, preset",
    [
        ("retinanet", "RetinaNetObjectDetector", "retinanet_resnet50_fpn_coco"),
        ("d_fine", "DFineBackbone", "dfine_small_coco"),
    ],
)
def test_coco_weights_come_from_kerashub(monkeypatch, name, kind, preset):
    def refuse(name):
        raise ConnectionError(f"no network for {name}")

    monkeypatch.setattr(getattr(keras_hub.models, kind), "from_preset", refuse)
    with pytest.raises(
        InputError, match=rf"{preset}' could not be opened \(no network for {preset}\): .*keras_hub:PATH"
    ):
        build(name, backbone=None, weights="coco", settings=None)


def test_weights_of_another_detector_are_loaded(detector, tmp_path):
    detector.save_weights(tmp_path / "old.weights.h5")
    digest = hashlib.sha256((tmp_path / "old.weights.h5").read_bytes()).hexdigest()
    other = build(weights=str(tmp_path / "old.weights.h5"), weights_sha256=digest)
    assert not other.weights_report.missing
    for variable, expected in zip(other.trainable_variables, detector.trainable_variables, strict=True):
        np.testing.assert_array_equal(variable, expected)


def test_the_backbone_of_a_classifier_is_loaded(tmp_path):
    classifier = build_image_classifier("vgg16", 3, weights=None, image_size=32)
    save_model(classifier, tmp_path / "classifier.keras")
    model = build(weights=str(tmp_path / "classifier.keras"))
    assert set(model.weights_report.missing) == {
        "proposals.conv", "proposals.objectness", "proposals.deltas",
        "head.dense1", "head.background", "head.boxes",
    }  # fmt: skip
    kernel = classifier.get_layer("block5.conv3").get_weights()[0]
    np.testing.assert_array_equal(model.get_layer("block5.conv3").get_weights()[0], kernel)


OPEN = """
import sys
import numpy as np
from tl_keras.models import open_detector
detections = open_detector(sys.argv[1])(np.load(sys.argv[2]))
np.save(sys.argv[2], detections["boxes"])
"""


def test_a_saved_detector_opens_in_another_process(detector, tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    inference = detector.inference_model()
    save_model(inference, tmp_path / "model.keras", class_names=detector.class_names)
    np.save(tmp_path / "array.npy", images)
    command = [sys.executable, "-c", OPEN, str(tmp_path / "model.keras"), str(tmp_path / "array.npy")]
    subprocess.run(command, check=True, cwd=ROOT)
    np.testing.assert_allclose(np.load(tmp_path / "array.npy"), inference(images)["boxes"], atol=1e-3)


def test_keras_converts_every_format():
    boxes = np.array([[4.0, 8.0, 20.0, 24.0]])
    for name in BOX_FORMATS:
        converted = keras.utils.bounding_boxes.convert_format(boxes, "xyxy", name, 64, 64)
        back = keras.utils.bounding_boxes.convert_format(converted, name, "xyxy", 64, 64)
        np.testing.assert_allclose(back, boxes, atol=1e-4)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"name": "faster_rnn"}, "Unknown detection.detector 'faster_rnn': did you mean 'faster_rcnn'"),
        ({"backbone": "vgg61"}, "model.backbone.*vgg16"),
        ({"num_classes": 0}, "num_classes is 0, expected at least 1"),
        ({"bounding_box_format": "xyyx"}, "bounding_box_format 'xyyx': did you mean 'xyxy'"),
        ({"class_names": ["a"]}, "1 class name for 2 classes"),
        ({"weights": "coco"}, "Unknown model.weights of faster_rcnn 'coco'.*imagenet, none, PATH"),
        ({"name": "yolo_v8", "weights": "imagenet"}, "Unknown model.weights of yolo_v8 'imagenet'.*coco, none, PATH"),
        ({"name": "d_fine", "backbone": "d_fine_smal"}, "did you mean 'd_fine_small'"),
        ({"name": "d_fine", "weights": "coco"}, "model.backbone of d_fine with COCO weights 'vgg16'"),
        (
            {"name": "retinanet", "backbone": None, "weights": "coco", "settings": RetinaNetSettings(channels=8)},
            "Settings were given for a RetinaNet with COCO weights",
        ),
        ({"weights_sha256": "00"}, "--model.weights PATH"),
        ({"weights": "imagenett"}, "No weights at 'imagenett'"),
        ({"image_size": 40}, "image size is 40, expected a multiple of 16"),
        ({"settings": FasterRCNNSettings(), "image_size": 48}, "image size is 48, expected a multiple of 32"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


@pytest.mark.parametrize("make", [build, lambda: open_detector("missing.keras")])
def test_the_note_on_onednn_is_hidden_before_a_detector_computes(monkeypatch, make):
    def stop():
        raise ZeroDivisionError

    monkeypatch.setattr(building, "hide_onednn_note", stop)
    with pytest.raises(ZeroDivisionError):
        make()
