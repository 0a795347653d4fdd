import keras
import numpy as np
import pytest

from tests.models.detection.detector_harness import borrowed, losses, shared
from tests.models.detection.tiny_detectors import rectangles
from tl_keras.errors import InputError
from tl_keras.models.detection.d_fine import QueryDecoder, build_d_fine
from tl_keras.models.detection.settings import DecodingSettings, DFineSettings
from tl_keras.transfer.activations.cuts import find_cuts

IMAGES, TARGETS = rectangles(2)


def test_encoder_initial_and_refined_predictions_are_stacked():
    assert shared("d_fine").output["class_logits"].shape == (None, 4, 12, 2)


def test_detections_come_from_the_last_layer():
    logits = np.full((1, 3, 2, 2), -9.0, "float32")
    boxes = np.full((1, 3, 2, 4), 0.1, "float32")
    logits[0, 2, 1, 1], boxes[0, 2, 1] = 2.0, (0.5, 0.25, 0.2, 0.5)
    detections = QueryDecoder(64, DecodingSettings(overlap_threshold=1.0, max_detections=3))(logits, boxes)
    np.testing.assert_array_equal(detections["labels"], [[1, -1, -1]])
    np.testing.assert_allclose(detections["scores"][0, 0], 1 / (1 + np.exp(-2)), rtol=1e-5)
    np.testing.assert_allclose(detections["boxes"][0, 0], [25.6, 0, 38.4, 32], atol=1e-4)


def test_losses_decrease():
    with borrowed("d_fine") as model:
        cut = find_cuts(model)[-1][1]
        head, features = model.suffix_model(cut), keras.Model(model.input, cut)(IMAGES.astype("float32"))
        head.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
        history = head.fit(np.asarray(features), TARGETS, batch_size=2, epochs=6, verbose=0).history
    assert np.isfinite(history["loss"]).all() and history["box_loss"][-1] < 0.7 * history["box_loss"][0]


def test_more_boxes_than_queries_are_refused():
    boxes, labels = np.zeros((2, 13, 4), "float32"), np.full((2, 13), -1)
    with pytest.raises(InputError, match="padded to 13 boxes, but D-FINE detects at most 12: .*num_queries=13"):
        losses(shared("d_fine"), {"boxes": boxes, "labels": labels}, IMAGES)


@pytest.mark.parametrize(
    "size, image_size, message",
    [
        ("d_fine_smal", 64, "Unknown model.backbone 'd_fine_smal': did you mean 'd_fine_small'"),
        ("d_fine_nano", 70, "image size is 70, expected a multiple of 32.*give 64"),
    ],
)
def test_wrong_arguments_are_refused(size, image_size, message):
    with pytest.raises(InputError, match=message):
        build_d_fine(size, 2, image_size, DFineSettings())
