import keras_cv
import numpy as np
import pytest

from tests.models.detection.detector_harness import IMAGES, shared
from tests.models.detection.tiny_detectors import DECODING
from tl_keras.errors import InputError
from tl_keras.models.detection.settings import DecodingSettings
from tl_keras.models.detection.yolo_v8 import CellDecoder, build_yolo_v8


def test_outputs_cover_all_cells():
    model = shared("yolo_v8")
    assert {name: tensor.shape for name, tensor in model.output.items()} == {
        "boxes": (None, 84, 64),
        "classes": (None, 84, 2),
    }
    assert all(model.get_layer(name).kernel.shape[-1] == 2 for name in model.class_layers)


def test_initial_probabilities_are_the_prior():
    np.testing.assert_allclose(shared("yolo_v8")(IMAGES.astype("float32"))["classes"], 0.01, atol=0.01)


def test_distances_are_the_means_of_their_distributions():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(1, 84, 4, 16)).astype("float32")
    decoder = CellDecoder(64, DecodingSettings())
    boxes, _ = decoder.boxes_and_scores(logits.reshape(1, 84, 64), np.zeros((1, 84, 2), "float32"))
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    left, top, right, bottom = 16 * (shares[0, 64 + 4 * 2 + 1] * np.arange(16)).sum(-1)  # stride 16, row 2, column 1
    np.testing.assert_allclose(boxes[0, 73], [24 - left, 40 - top, 24 + right, 40 + bottom], rtol=1e-4)


def test_a_failed_download_is_a_one_line_error(monkeypatch):
    def refuse(preset, **_options):
        raise ConnectionError(f"no network for {preset}\nsecond line")

    monkeypatch.setattr(keras_cv.models.YOLOV8Backbone, "from_preset", refuse)
    message = r"COCO weights of yolo_v8_xs could not be downloaded \(no network for yolo_v8_xs_backbone_coco\)"
    with pytest.raises(InputError, match=message):
        build_yolo_v8("yolo_v8_xs", 2, 64, DECODING, weights="coco")


@pytest.mark.parametrize(
    "size, image_size, message",
    [
        ("yolo_v8_xxs", 64, "did you mean 'yolo_v8_xs'"),
        ("yolo_v8_xs", 70, "image size is 70, expected a multiple of 32.*give 64"),
    ],
)
def test_wrong_arguments_are_refused(size, image_size, message):
    with pytest.raises(InputError, match=message):
        build_yolo_v8(size, 2, image_size, DECODING)
