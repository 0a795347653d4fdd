import numpy as np
import pytest

from tl_keras.evaluation import draw_objects, outline
from tl_keras.evaluation.box_drawing import place_label


def test_each_box_is_drawn_at_its_place_in_the_colour_of_its_class():
    image = np.zeros((320, 400, 3), np.uint8)
    objects = [("cat", 0.9, (40.0, 120.0, 160.0, 240.0)), ("dog", 0.5, (240.0, 120.0, 360.0, 240.0))]
    drawn = draw_objects(image, objects, ("cat", "dog"))
    assert drawn.shape == image.shape and drawn.dtype == np.uint8 and not image.any()
    cat, dog = drawn[180, 40], drawn[180, 240]
    assert cat.any() and dog.any() and (cat != dog).any()
    np.testing.assert_array_equal(drawn[240, 100], cat)
    assert not drawn[160:220, 60:140].any(), "the inside of a box is unchanged"


def test_small_images_are_enlarged_so_that_names_are_legible():
    drawn = draw_objects(np.zeros((40, 60, 3), np.uint8), [("cat", 0.9, (10.0, 20.0, 30.0, 35.0))], ("cat",))
    assert drawn.shape == (320, 480, 3) and drawn[240, 80].any() and not drawn[240, 120].any()


@pytest.mark.parametrize(
    "box", [(300, 300, 319, 319), (0, 0, 9, 9), (310, 0, 319, 9), (0, 310, 9, 319), (-9, -9, 5, 5)]
)
def test_names_stay_inside_the_image(box):
    image, name = np.zeros((320, 320, 3), np.uint8), "a long name of a class"
    white = (draw_objects(image, [(name, 0.9, box)], (name,)) == 255).all(axis=-1).sum()
    whole = (draw_objects(image, [(name, 0.9, (60, 160, 70, 170))], (name,)) == 255).all(axis=-1).sum()
    assert white >= 0.9 * whole


def test_names_of_near_boxes_do_not_cover_each_other():
    image, names = np.zeros((400, 400, 3), np.uint8), ("a long name of a class", "another long name of one")
    boxes = [(100.0, 200.0, 300.0, 300.0), (104.0, 206.0, 304.0, 306.0)]

    def white(*objects):
        return (draw_objects(image, objects, names) == 255).all(axis=-1)

    alone = [white((name, 0.9, box)).sum() for name, box in zip(names, boxes, strict=True)]
    assert white(*zip(names, (0.9, 0.8), boxes, strict=True)).sum() == pytest.approx(sum(alone), rel=0.1)


@pytest.mark.parametrize(
    ("box", "others", "place"),
    [
        ((10, 20, 40, 40), [], (10, 12, 22, 20)),
        ((10, 20, 40, 40), [(0, 0, 20, 20)], (28, 12, 40, 20)),
        ((10, 20, 40, 40), [(0, 0, 60, 20)], (10, 40, 22, 48)),
        ((10, 20, 40, 60), [(0, 0, 60, 20)], (10, 52, 22, 60)),
        ((10, 2, 40, 40), [], (10, 0, 22, 8)),
        ((55, 20, 60, 40), [], (48, 12, 60, 20)),
        ((10, 20, 40, 40), [(0, 0, 60, 60)], (10, 12, 22, 20)),
    ],
    ids=["above", "above at the right", "below", "inside", "at the edge", "at the side", "no place is free"],
)
def test_the_name_of_a_box_takes_the_first_free_place(box, others, place):
    assert place_label((12, 8), box, (0, 0, 60, 60), others) == place


def test_no_detections_leave_the_image_unchanged():
    image = np.full((20, 20, 3), 7, np.uint8)
    np.testing.assert_array_equal(draw_objects(image, [], ("cat",)), image)


def test_a_name_at_the_upper_border_stays_inside_the_image():
    drawn = draw_objects(np.zeros((60, 60, 3), np.uint8), [("cat", 0.9, (0.0, 0.0, 50.0, 50.0))], ("cat",))
    assert (drawn[:8, :40] == 255).any()


def test_an_outline_keeps_the_size_and_the_inside():
    image = np.zeros((64, 64, 3), np.uint8)
    drawn = outline(image, np.array([10.2, 20, 30, 40], np.float32))
    assert drawn.shape == image.shape and not image.any()
    assert drawn[20, 20].any() and drawn[30, 10].any() and not drawn[22:38, 13:28].any()
