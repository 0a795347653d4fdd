import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import random_boxes
from tl_keras.models.detection.targets.box_coding import clip_boxes, decode_boxes, encode_boxes

BOXES, REFERENCES = random_boxes((2, 7), 1), random_boxes((2, 7), 0)
REFERENCES[..., 2:] += 4  # large enough for every box to be within MAX_LOG_SCALE


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_encoding_equals_the_equations_of_the_paper(weights):
    coded = np.asarray(encode_boxes(BOXES, REFERENCES, weights))
    for index in np.ndindex(2, 7):
        x, y, width, height = _centre(BOXES[index])
        own_x, own_y, own_width, own_height = _centre(REFERENCES[index])
        shifts = [(x - own_x) / own_width, (y - own_y) / own_height]
        expected = [*shifts, np.log(width / own_width), np.log(height / own_height)]
        np.testing.assert_allclose(coded[index], np.multiply(expected, weights), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_decoding_inverts_encoding(weights):
    decoded = decode_boxes(encode_boxes(BOXES, REFERENCES, weights), REFERENCES, weights)
    np.testing.assert_allclose(decoded, BOXES, atol=1e-3)


def test_a_box_is_at_most_62_times_its_reference():
    box = np.asarray(
        decode_boxes(np.array([[0.0, 0.0, 90.0, 90.0]], "float32"), np.array([[0.0, 0.0, 2.0, 2.0]], "float32"))
    )
    np.testing.assert_allclose(box, [[1 - 62.5, 1 - 62.5, 1 + 62.5, 1 + 62.5]], rtol=1e-5)


def test_padding_encodes_to_finite_numbers():
    padding = np.array([[0.0, 0.0, 0.0, 0.0], [-1.0, -1.0, -1.0, -1.0]], "float32")
    assert np.isfinite(encode_boxes(padding, REFERENCES[0, :2])).all()
    assert np.isfinite(encode_boxes(REFERENCES[0, :2], padding)).all()


def test_boxes_are_clipped_to_the_image():
    clipped = clip_boxes(keras.ops.convert_to_tensor([[-3.0, 5.0, 70.0, 64.0]]), 64)
    np.testing.assert_array_equal(clipped, [[0, 5, 64, 64]])


def _centre(box):
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
