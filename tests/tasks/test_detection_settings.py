from dataclasses import replace

import numpy as np
import pytest

from tl_keras import data
from tl_keras.tasks import detection_settings


def test_anchors_follow_the_small_boxes():
    boxes = np.array([[0, 0, side, side] for side in (30, 34, 60, 100)], "float32")
    box_set = data.BoxSet(
        np.zeros((1, 8, 8, 3), "uint8"), [np.zeros(4)], ["a"], ("x",), boxes=[boxes], sizes=np.zeros((1, 2))
    )
    assert detection_settings.choose_anchor_sizes(box_set) == (32.0, 64.0, 128.0, 256.0, 512.0)
    tiny = replace(box_set, boxes=[boxes / 20])
    assert detection_settings.choose_anchor_sizes(tiny)[0] == detection_settings.MIN_ANCHOR_SIZE


@pytest.mark.parametrize(("sizes", "expected"), [([(48, 64)], 64), ([(400, 400)], 416), ([(3000, 4000)], 640)])
def test_images_keep_their_size_up_to_a_limit(sizes, expected):
    records = data.BoxRecords(["a"], ["a"], [], ["train"], ("x",), boxes=[], sizes=np.array(sizes))
    assert detection_settings.choose_image_size(records) == expected
