import keras
import numpy as np

from tl_keras.models.weights.heads import load_head, load_parts
from tl_keras.models.weights.matching import ModelLayer

CLASS_LAYERS = ("head.logits", "head.boxes")


def layer(name, *shapes):
    """A layer whose numbers differ from every other's."""
    return ModelLayer(name, "", tuple(keras.Variable(keras.random.normal(shape)) for shape in shapes))


def detector(classes, width=3):
    return [
        layer("head.dense1", (width, 5)),
        layer("head.logits", (5, classes), (classes,)),
        layer("head.background", (5, 1)),
        layer("head.boxes", (5, 4 * classes), (4 * classes,)),
    ]


def by_name(layers):
    return {part.name: part for part in layers}


def test_classes_keep_their_part_where_the_class_is_the_fastest_part_of_the_last_axis():
    old, new = detector(3), detector(2)
    before = [part.read() for part in new]
    matched, clashes, kept = load_parts(new, by_name(old), CLASS_LAYERS, ("a", "b", "c"), ("c", "d"))
    assert matched == ("head.dense1", "head.background") and kept == ("c",)
    assert clashes == dict.fromkeys(CLASS_LAYERS, "other classes")
    for place in (1, 3):
        for found, fresh, given in zip(new[place].read(), before[place], old[place].read(), strict=True):
            found, fresh = (array.reshape(*array.shape[:-1], -1, 2) for array in (found, fresh))
            np.testing.assert_array_equal(found[..., 0], given.reshape(*given.shape[:-1], -1, 3)[..., 2])
            np.testing.assert_array_equal(found[..., 1], fresh[..., 1])


def test_layers_beside_a_fresh_one_are_taken_over():
    old, new = detector(2, width=3), detector(2, width=4)
    matched, clashes, kept = load_parts(new, by_name(old), CLASS_LAYERS, ("a", "b"), ("a", "b"))
    assert matched == ("head.logits", "head.background", "head.boxes") and kept == ("a", "b")
    assert clashes == {"head.dense1": "3×5 in the file, 4×5 here"}


def test_classes_without_names_are_taken_over_as_they_are_or_not_at_all():
    old, same, other = detector(2), detector(2), detector(3)
    assert load_parts(same, by_name(old), CLASS_LAYERS, None, ("a", "b"))[1:] == ({}, ())
    np.testing.assert_array_equal(same[1].read()[0], old[1].read()[0])
    assert set(load_parts(other, by_name(old), CLASS_LAYERS, None, ("a", "b", "c"))[1]) == set(CLASS_LAYERS)


def test_layers_that_the_file_lacks_are_neither_matched_nor_clashes():
    matched, clashes, _ = load_parts(detector(2), by_name(detector(2)[:1]), CLASS_LAYERS, None, None)
    assert matched == ("head.dense1",) and not clashes


def test_behind_a_fresh_layer_a_classifier_stays_fresh():
    old = [layer("head.hidden", (3, 4)), layer("head.logits", (4, 2))]
    new = [layer("head.hidden", (2, 4)), layer("head.logits", (4, 2))]
    matched, clashes, kept = load_head(new, by_name(old), ("a", "b"), ("a", "b"))
    assert (matched, kept) == ((), ())
    assert clashes == {"head.hidden": "3×4 in the file, 2×4 here", "head.logits": "the layer before it is new"}
