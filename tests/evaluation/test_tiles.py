import base64
import io

import numpy as np
from PIL import Image

from tl_keras.evaluation.tiles import MAX_CLASSES, SIDE, choose_by_class, embed_image

PROBABILITIES = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]])


def test_typical_examples_are_confident_and_wrong_ones_are_unlikely():
    assert choose_by_class([0, 0, 0, 0, 1], PROBABILITIES, count=1) == [(0, [0], [2]), (1, [4], [])]


def test_classes_of_low_recall_come_first_and_others_without_an_example_are_left_out():
    labels = [1, 1, 0, 0, 0]
    three = np.column_stack([PROBABILITIES, np.zeros(5)])
    assert [number for number, _, _ in choose_by_class(labels, three)] == [0, 1]
    assert choose_by_class(labels, three)[0] == (0, [], [4, 2, 3])
    assert len(choose_by_class(np.arange(40), np.eye(40))) == MAX_CLASSES


def test_an_example_of_several_classes_counts_for_each():
    labels = np.array([[1, 1], [0, 1]])
    assert choose_by_class(labels, np.array([[0.9, 0.3], [0.2, 0.7]])) == [(1, [1], [0]), (0, [0], [])]


def test_an_embedded_image_is_small_and_keeps_its_shape():
    head, data = embed_image(np.full((600, 300, 3), 300.0)).split(",")
    assert head == "data:image/jpeg;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.size == (SIDE // 2, SIDE) and image.getpixel((0, 0)) == (255, 255, 255)
