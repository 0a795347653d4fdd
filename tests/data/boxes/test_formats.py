import numpy as np
import pytest

from tl_keras.data.boxes.formats import has_other_format
from tl_keras.data.data_errors import Faults

SIZES = np.array([[30, 40]] * 10)
CORNERS = np.array([[0.7, 0.6, 0.95, 0.9]])


def check(boxes, box_format, sizes=SIZES):
    faults = Faults("The data")
    return has_other_format(np.array(boxes, float), sizes[: len(boxes)], box_format, faults), list(faults.places)


@pytest.mark.parametrize(("num_corners", "expected"), [(10, True), (1, False)])
def test_fractions_of_corners_are_recognised_if_nearly_all_boxes_are(num_corners, expected):
    boxes = [*CORNERS.repeat(num_corners, 0), *[(0.5, 0.5, 0.2, 0.2)] * (10 - num_corners)]
    found, problems = check(boxes, "relative_center_xywh")
    assert found == expected
    assert all("look like xyxy (left, top, right, bottom)" in problem for problem in problems)


def test_imprecise_fractions_are_accepted():
    assert check([[0.1, 0.1, 0.22, 0.21]] * 10, "relative_center_xywh") == (False, [])


def test_boxes_left_of_the_image_count_as_impossible():
    assert not check([[-9, 3, 5, 9]] * 10, "xyxy")[0]
    assert check([[-9, 3, 5, 9]] * 2 + [[20, 15, 8, 8]] * 8, "xyxy")[1] == []


def test_boxes_of_unreadable_images_are_not_judged():
    assert check(CORNERS, "relative_center_xywh", np.zeros((1, 2))) == (False, [])
