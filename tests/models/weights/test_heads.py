import keras
import numpy as np

from tl_keras.models.weights.heads import load_head, load_parts
from tl_keras.models.weights.matching import ModelLayer

CLASS_LAYERS = ("head.logits", "head.boxes")


def layer(name, *shapes):
    """Builds a layer whose weights differ from those of every other."""
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


def test_classes_are_loaded_where_they_are_the_fastest_part_of_the_last_axis():
    old, new = detector(3), detector(2)
    before = [part.read() for part in new]
    matched, clashes, classes = load_parts(new, by_name(old), CLASS_LAYERS, ("a", "b", "c"), ("c", "d"))
    assert matched == ("head.dense1", "head.background") and classes == ("c",)
    assert clashes == dict.fromkeys(CLASS_LAYERS, "other classes")
    for place in (1, 3):
        for loaded, initial, source in zip(new[place].read(), before[place], old[place].read(), strict=True):
            loaded, initial = (array.reshape(*array.shape[:-1], -1, 2) for array in (loaded, initial))
            np.testing.assert_array_equal(loaded[..., 0], source.reshape(*source.shape[:-1], -1, 3)[..., 2])
            np.testing.assert_array_equal(loaded[..., 1], initial[..., 1])


def test_layers_beside_a_new_one_are_loaded():
    old, new = detector(2, width=3), detector(2, width=4)
    matched, clashes, classes = load_parts(new, by_name(old), CLASS_LAYERS, ("a", "b"), ("a", "b"))
    assert matched == ("head.logits", "head.background", "head.boxes") and classes == ("a", "b")
    assert clashes == {"head.dense1": "3×5 in the file, 4×5 here"}


def test_classes_without_names_are_loaded_all_or_none():
    old, same, other = detector(2), detector(2), detector(3)
    assert load_parts(same, by_name(old), CLASS_LAYERS, None, ("a", "b"))[1:] == ({}, ())
    np.testing.assert_array_equal(same[1].read()[0], old[1].read()[0])
    assert set(load_parts(other, by_name(old), CLASS_LAYERS, None, ("a", "b", "c"))[1]) == set(CLASS_LAYERS)


def test_layers_missing_in_the_file_are_neither_matched_nor_clashes():
    matched, clashes, _ = load_parts(detector(2), by_name(detector(2)[:1]), CLASS_LAYERS, None, None)
    assert matched == ("head.dense1",) and not clashes


def test_layers_behind_a_new_layer_of_a_classifier_stay_new():
    old = [layer("head.hidden", (3, 4)), layer("head.logits", (4, 2))]
    new = [layer("head.hidden", (2, 4)), layer("head.logits", (4, 2))]
    matched, clashes, classes = load_head(new, by_name(old), ("a", "b"), ("a", "b"))
    assert (matched, classes) == ((), ())
    assert clashes == {"head.hidden": "3×4 in the file, 2×4 here", "head.logits": "the layer before it is new"}
