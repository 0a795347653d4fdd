import numpy as np

from tl_keras.evaluation import draw_objects


def test_each_box_is_drawn_at_its_place_in_the_colour_of_its_class():
    image = np.zeros((80, 100, 3), np.uint8)
    objects = [("cat", 0.9, (10.0, 30.0, 40.0, 60.0)), ("dog", 0.5, (60.0, 30.0, 90.0, 60.0))]
    drawn = draw_objects(image, objects, ("cat", "dog"))
    assert drawn.shape == image.shape and drawn.dtype == np.uint8 and not image.any()
    cat, dog = drawn[45, 10], drawn[45, 60]
    assert cat.any() and dog.any() and (cat != dog).any()
    np.testing.assert_array_equal(drawn[60, 25], cat)
    assert not drawn[40:55, 15:35].any(), "the inside of a box is unchanged"


def test_no_detections_leave_the_image_unchanged():
    image = np.full((20, 20, 3), 7, np.uint8)
    np.testing.assert_array_equal(draw_objects(image, [], ("cat",)), image)


def test_a_name_at_the_upper_border_stays_inside_the_image():
    drawn = draw_objects(np.zeros((60, 60, 3), np.uint8), [("cat", 0.9, (0.0, 0.0, 50.0, 50.0))], ("cat",))
    assert (drawn[:8, :40] == 255).any()
