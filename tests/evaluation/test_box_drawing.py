import numpy as np
import pytest

from tl_keras.evaluation import draw_objects, outline


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
