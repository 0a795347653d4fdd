import numpy as np

from tl_keras.exporting.comparison import largest_difference


def test_the_largest_difference_of_all_outputs():
    one = {"scores": np.array([0.5, 0.25]), "boxes": np.array([[0, 0, 10, 10.0]])}
    other = {"scores": np.array([0.5, 0.26]), "boxes": np.array([[0, 0, 10, 12.0]]), "class_names": [b"x"]}
    assert largest_difference(one, other, scale=100) == 0.02
    assert largest_difference(one, one) == 0


def test_other_shapes_labels_and_nan_are_infinitely_different():
    assert largest_difference({"labels": np.array([1])}, {"labels": np.array([2])}) == np.inf
    assert largest_difference({"scores": np.ones(2)}, {"scores": np.ones(3)}) == np.inf
    assert largest_difference({"scores": np.ones(2)}, {"scores": np.array([1, np.nan])}) == np.inf
