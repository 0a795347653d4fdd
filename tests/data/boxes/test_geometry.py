import numpy as np
import pytest

from tl_keras.data.boxes.geometry import BOX_RESIZES, box_areas, clip_boxes, resize_boxes, restore_boxes, to_xyxy
from tl_keras.data.images.decoding import resize_image
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("box_format", "numbers"),
    [
        ("xyxy", (10, 20, 30, 60)),
        ("xywh", (10, 20, 20, 40)),
        ("relative_yxyx", (0.2, 0.05, 0.6, 0.15)),
        ("relative_center_xywh", (0.1, 0.4, 0.1, 0.4)),
    ],
)
def test_formats(box_format, numbers):
    np.testing.assert_allclose(to_xyxy([numbers], box_format, (100, 200)), [[10, 20, 30, 60]])


def test_unknown_format():
    with pytest.raises(InputError, match="box_format 'xyhw'.*'xywh'"):
        to_xyxy([[0, 0, 1, 1]], "xyhw", (1, 1))


def test_arrays_without_boxes():
    assert to_xyxy(np.zeros((0, 4)), "xywh", np.zeros((0, 2))).shape == (0, 4)
    assert resize_boxes(np.zeros((0, 4)), (3, 4), 8).shape == (0, 4)


def test_areas_of_negative_boxes_are_zero():
    assert box_areas([[0, 0, 2, 3], [2, 0, 0, 3], [2, 3, 0, 0]]).tolist() == [6, 0, 0]


def test_clip():
    assert clip_boxes(np.array([[-5.0, -5, 50, 50]]), (30, 40)).tolist() == [[0, 0, 40, 30]]


@pytest.mark.parametrize("resize", BOX_RESIZES)
@pytest.mark.parametrize(("height", "width"), [(60, 90), (90, 60), (64, 64), (33, 100), (100, 7)])
def test_boxes_stay_on_their_pixels(resize, height, width):
    """Compares a box with its black rectangle on white after both were resized."""
    box = (width // 3, height // 4, width // 3 + width // 2, height // 4 + height // 2)
    image = np.full((height, width, 3), 255, np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 0
    resized = resize_image(image, 128, resize)[..., 0]
    rows, columns = np.nonzero(resized < 128)
    expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(resize_boxes([box], (height, width), 128, resize)[0], expected, atol=1.0)


@pytest.mark.parametrize("resize", BOX_RESIZES)
def test_restoring_reverses_resizing_and_clips(resize):
    boxes = np.array([[3.0, 4, 50, 30], [0, 0, 90, 60]], np.float32)
    resized = resize_boxes(boxes, (60, 90), 128, resize)
    np.testing.assert_allclose(restore_boxes(resized, (60, 90), 128, resize), boxes, atol=1e-4)
    assert restore_boxes([[-50, -50, 500, 500]], (60, 90), 128, resize).tolist() == [[0, 0, 90, 60]]


def test_padding_is_rounded_as_in_pillow():
    for width in range(50, 80):
        image = np.zeros((37, width, 3), np.uint8)
        inside = np.nonzero(np.asarray(resize_image(image, 64, "pad"))[..., 0].min(axis=1) == 0)[0]
        top, bottom = resize_boxes([[0, 0, width, 37]], (37, width), 64)[0, 1::2]
        assert (top, bottom) == (inside.min(), inside.max() + 1)
        left, right = resize_boxes([[0, 0, 37, width]], (width, 37), 64)[0, ::2]
        assert (left, right) == (top, bottom)


def test_other_resizes_are_refused():
    with pytest.raises(InputError, match="data.resize 'crop'"):
        resize_boxes([[0, 0, 1, 1]], (4, 4), 8, "crop")
