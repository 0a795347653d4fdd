from dataclasses import replace

import keras
import numpy as np
import pytest

import tl_keras as tl
from tl_keras.data import ImageSet
from tl_keras.transfer import ActivationStore, FrozenPart, bytes_per_example, find_cuts_of_phases


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
    features = FrozenPart(model, cuts).compute(image_set, batch_size=4)
    for cut in cuts:
        stored = features[id(cut)]
        expected = keras.Model(model.input, cut)(image_set.images, training=False)
        np.testing.assert_allclose(stored.images, expected, atol=1e-5)
        np.testing.assert_array_equal(stored.labels.argmax(axis=1), image_set.labels)
        assert stored.images[0].nbytes == bytes_per_example([cut])


def test_views_are_stored_one_after_the_other_and_differ(model, image_set):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    arguments = {"batch_size": 4, "views": 2, "augmentation": "light", "seed": 3}
    one, two = (FrozenPart(model, [cut]).compute(image_set, **arguments)[id(cut)] for _ in range(2))
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


def counting(model, cuts, store):
    """A `FrozenPart` that counts the batches it computes."""
    part = FrozenPart(model, cuts, store)
    compute, part.batches = part._compute, 0

    def count(images):
        part.batches += 1
        return compute(images)

    part._compute = count
    return part


def test_what_is_on_the_disk_serves_the_next_run(model, image_set, tmp_path):
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("top")])
    expected = FrozenPart(model, cuts).compute(image_set, batch_size=4)
    for batches in (3, 0):
        part = counting(model, cuts, ActivationStore(tmp_path, 1e9))
        stored = part.compute(image_set, batch_size=4)
        assert part.batches == batches
        for cut in cuts:
            assert isinstance(stored[id(cut)].images, np.memmap)
            np.testing.assert_array_equal(stored[id(cut)].images, expected[id(cut)].images)
            np.testing.assert_array_equal(stored[id(cut)].labels, expected[id(cut)].labels)


@pytest.mark.parametrize("change", ["pixel", "weight", "views", "seed", "label"])
def test_whatever_decides_the_values_changes_the_key(model, image_set, tmp_path, change):
    settings = {"batch_size": 4, "views": 1, "augmentation": "light", "seed": 0}
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    store, stem = ActivationStore(tmp_path, 1e9), model.get_layer("stem.conv")
    counting(model, [cut], store).compute(image_set, **settings)
    if change == "pixel":
        image_set = replace(image_set, images=image_set.images ^ np.eye(11, dtype="uint8")[0][:, None, None, None])
    elif change == "label":
        image_set = replace(image_set, labels=image_set.labels[::-1])
    elif change == "weight":
        stem.kernel.assign_add(np.full(stem.kernel.shape, 1e-7, "float32"))
    else:
        settings[change] += 1
    part = counting(model, [cut], store)
    part.compute(image_set, **settings)
    assert part.batches == 3 * settings["views"]


def test_a_torn_file_is_computed_again(model, image_set, tmp_path, capsys):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    counting(model, [cut], ActivationStore(tmp_path, 1e9)).compute(image_set, batch_size=4)
    largest = max(tmp_path.glob("*.activations"), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    part = counting(model, [cut], ActivationStore(tmp_path, 1e9))
    stored = part.compute(image_set, batch_size=4)[id(cut)]
    assert part.batches == 3
    assert "will be computed again" in capsys.readouterr().out
    expected = FrozenPart(model, [cut]).compute(image_set, batch_size=4)[id(cut)]
    np.testing.assert_array_equal(stored.images, expected.images)
