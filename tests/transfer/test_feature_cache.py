import keras
import numpy as np
import pytest

import tl_keras as tl
from tl_keras.data import ImageSet
from tl_keras.transfer import bytes_per_example, compute_features, find_cuts_of_phases


@pytest.fixture(scope="module")
def model():
    return tl.build_image_classifier("efficientnet_lite0", 3, weights=None, image_size=32)


@pytest.fixture(scope="module")
def image_set():
    images = np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3)).astype("uint8")
    names = [str(number) for number in range(11)]
    return ImageSet(images, np.arange(11, dtype="int32") % 3, names, ("a", "b", "c"))


def test_each_phase_reads_what_no_phase_up_to_it_has_touched(model):
    phases = [tl.Phase("head"), tl.Phase(["block6"]), tl.Phase("top")]
    cuts = find_cuts_of_phases(model, phases)
    blocks = [cut._keras_history.operation.name.split(".")[0] for cut in cuts]
    assert blocks == ["head", "block5", "block5"]


def test_one_pass_stores_the_activations_of_every_cut_in_order(model, image_set):
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("top")])
    features = compute_features(model, cuts, image_set, batch_size=4)
    for cut in cuts:
        stored = features[id(cut)]
        expected = keras.Model(model.input, cut)(image_set.images, training=False)
        np.testing.assert_allclose(stored.images, expected, atol=1e-5)
        np.testing.assert_array_equal(stored.labels.argmax(axis=1), image_set.labels)
        assert stored.images[0].nbytes == bytes_per_example([cut])


def test_views_are_stored_one_after_the_other_and_differ(model, image_set):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    arguments = {"batch_size": 4, "views": 2, "augmentation": "light", "seed": 3}
    one, two = (compute_features(model, [cut], image_set, **arguments)[id(cut)] for _ in range(2))
    assert one.images.shape == (22, 1280)
    assert np.abs(one.images[:11] - one.images[11:]).max() > 1e-3
    np.testing.assert_array_equal(one.images, two.images)
    np.testing.assert_array_equal(one.labels[:11], one.labels[11:])


def test_an_epoch_reads_every_image_of_one_view(image_set):
    from tl_keras.data import make_dataset

    numbered = ImageSet(np.arange(22.0), np.tile(image_set.labels, 2), image_set.names * 2, image_set.class_names)
    batches = iter(make_dataset(numbered, 4, shuffle_seed=0, views=2))
    epochs = [np.concatenate([next(batches)[0] for _ in range(3)]) for _ in range(3)]
    np.testing.assert_array_equal(np.sort(epochs[0]), np.arange(11))
    np.testing.assert_array_equal(np.sort(epochs[1]), np.arange(11, 22))
    np.testing.assert_array_equal(np.sort(epochs[2]), np.arange(11))


def test_a_cut_shared_by_phases_is_counted_once(model):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    assert bytes_per_example([cut, cut]) == bytes_per_example([cut]) == 1280 * 4
