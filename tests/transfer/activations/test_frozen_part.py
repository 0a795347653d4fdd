import time
from dataclasses import replace

import keras
import numpy as np
import pytest

import tl_keras as tl
from tests.models.small_backbone import small_backbone
from tl_keras.data import ImageSet, TokenSet
from tl_keras.transfer import ActivationStore, FrozenPart, ImageSource, TokenSource, find_cuts_of_phases


@pytest.fixture(scope="module")
def model():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        return tl.build_image_classifier("efficientnet_lite0", 3, weights=None, image_size=32)


@pytest.fixture(scope="module")
def image_set():
    images = np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3)).astype("uint8")
    names = [str(number) for number in range(11)]
    return ImageSet(images, np.arange(11, dtype="int32") % 3, names, ("a", "b", "c"))


class CountingSource(ImageSource):
    """Counts the batches that are read."""

    count = 0

    def batches(self):
        for batch in super().batches():
            self.__dict__["count"] = self.count + 1
            yield batch


def in_memory(cuts):
    return {id(cut): None for cut in cuts}


def test_one_pass_stores_the_activations_of_every_cut_in_order(model, image_set):
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("top")])
    part, source = FrozenPart(model, cuts), CountingSource(image_set, 4)
    features = part.compute(source, in_memory(cuts))
    assert source.count == 3
    for cut in cuts:
        stored = features[id(cut)]
        expected = keras.Model(model.input, cut)(image_set.images, training=False)
        np.testing.assert_allclose(stored.images, expected, atol=1e-5)
        np.testing.assert_array_equal(stored.labels, image_set.labels)
        assert stored.images[0].nbytes == part.bytes_per_example(source)[id(cut)]


def test_only_requested_cuts_are_computed(model, image_set):
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("top")])
    assert FrozenPart(model, cuts).compute(ImageSource(image_set, 4), in_memory(cuts[1:])).keys() == {id(cuts[1])}


def test_bfloat16_takes_half_the_memory_and_is_close(model, image_set):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    source = ImageSource(image_set, 4)
    exact = FrozenPart(model, [cut]).compute(source, in_memory([cut]))[id(cut)].images
    part = FrozenPart(model, [cut], "bfloat16")
    half = part.compute(source, in_memory([cut]))[id(cut)].images
    assert half.nbytes == exact.nbytes // 2 == part.bytes_per_example(source)[id(cut)] * 11
    np.testing.assert_allclose(half.astype("float32"), exact, rtol=1 / 128, atol=1e-5)


def test_half_precision_folds_batch_norm(image_set, small_network):
    with_policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = tl.build_image_classifier("efficientnet_lite0", 3, weights=None, image_size=32)
    finally:
        keras.mixed_precision.set_dtype_policy(with_policy)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    stored = FrozenPart(model, [cut]).compute(ImageSource(image_set, 4), in_memory([cut]))[id(cut)]
    expected = keras.Model(model.input, cut)(image_set.images, training=False)
    np.testing.assert_allclose(stored.images.astype("float32"), expected, atol=0.05 * np.abs(expected).max())


def test_views_are_stored_in_order_and_differ(model, image_set):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    source = ImageSource(image_set, 4, views=2, augmentation="light", seed=3)
    one, two = (FrozenPart(model, [cut]).compute(source, in_memory([cut]))[id(cut)] for _ in range(2))
    assert one.images.shape == (22, 32)
    first, second = (one.images[start : start + 11][np.argsort(source.order[start:][:11])] for start in (0, 11))
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(one.images, two.images)
    np.testing.assert_array_equal(one.labels.argmax(axis=1), image_set.labels[source.order])


def test_an_epoch_reads_every_image_of_one_view(image_set):
    from tl_keras.data import make_dataset

    numbered = ImageSet(np.arange(22.0), np.tile(image_set.labels, 2), image_set.names * 2, image_set.class_names)
    batches = iter(make_dataset(numbered, 4, shuffle_seed=0, views=2))
    epochs = [np.concatenate([next(batches)[0] for _ in range(3)]) for _ in range(3)]
    np.testing.assert_array_equal(np.sort(epochs[0]), np.arange(11))
    np.testing.assert_array_equal(np.sort(epochs[1]), np.arange(11, 22))
    np.testing.assert_array_equal(np.sort(epochs[2]), np.arange(11))


def test_an_earlier_cut_takes_less_time(image_set):
    x = inputs = keras.Input((32, 32, 3))
    for block in ("block1", "block2"):
        x = keras.layers.Conv2D(64, 3, name=f"{block}.conv")(x)
    x = keras.layers.GlobalAveragePooling2D(name="head.pool")(x)
    model = keras.Model(inputs, keras.layers.Dense(2, name="head.logits")(x))
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("block2")])
    seconds = FrozenPart(model, cuts).measure_seconds(image_set.images[:4])
    assert 0 < seconds[id(cuts[1])] < seconds[id(cuts[0])] < 10


def test_seconds_are_those_of_the_given_clock(model, image_set):
    cuts = find_cuts_of_phases(model, [tl.Phase("head")])
    ticks = iter([100.0, 108.0])
    assert list(FrozenPart(model, cuts).measure_seconds(image_set.images[:4], ticks.__next__).values()) == [2.0]


def test_activations_on_disk_are_used_by_the_next_run(model, image_set, tmp_path):
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("top")])
    settings = {"batch_size": 4, "augmentation": "mixup"}
    expected = FrozenPart(model, cuts).compute(ImageSource(image_set, **settings), in_memory(cuts))
    for count in (3, 0):
        store, source = ActivationStore(tmp_path, 1e9), CountingSource(image_set, **settings)
        stored = FrozenPart(model, cuts).compute(source, {id(cut): store for cut in cuts})
        assert source.count == count
        for cut in cuts:
            assert isinstance(stored[id(cut)].images, np.memmap)
            np.testing.assert_array_equal(stored[id(cut)].images, expected[id(cut)].images)
            np.testing.assert_array_equal(stored[id(cut)].labels, expected[id(cut)].labels)


def test_a_cut_is_found_by_a_run_with_other_cuts(model, image_set, tmp_path):
    cuts = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("top")])
    store = ActivationStore(tmp_path, 1e9)
    FrozenPart(model, cuts).compute(ImageSource(image_set, 4), {id(cut): store for cut in cuts})
    for cut in cuts:
        source = CountingSource(image_set, 4)
        FrozenPart(model, [cut]).compute(source, {id(cut): store})
        assert source.count == 0


def test_labels_do_not_change_the_key_without_mixing(model, image_set, tmp_path):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    store, other = ActivationStore(tmp_path, 1e9), replace(image_set, labels=image_set.labels[::-1])
    FrozenPart(model, [cut]).compute(ImageSource(image_set, 4), {id(cut): store})
    source = CountingSource(other, 4)
    stored = FrozenPart(model, [cut]).compute(source, {id(cut): store})
    assert source.count == 0
    np.testing.assert_array_equal(stored[id(cut)].labels, other.labels)


@pytest.mark.parametrize("change", ["pixel", "weight", "views", "seed", "label", "dtype"])
def test_everything_that_determines_the_values_changes_the_key(model, image_set, change):
    settings = {"batch_size": 4, "views": 1, "augmentation": "light", "seed": 0}
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    stem = model.get_layer("stem.conv")
    before = FrozenPart(model, [cut]).keys(ImageSource(image_set, **settings))
    if change == "pixel":
        image_set = replace(image_set, images=image_set.images ^ np.eye(11, dtype="uint8")[0][:, None, None, None])
    elif change == "label":
        image_set = replace(image_set, labels=image_set.labels[::-1])
    elif change == "weight":
        stem.kernel.assign_add(np.full(stem.kernel.shape, 1e-7, "float32"))
    elif change != "dtype":
        settings[change] += 1
    part = FrozenPart(model, [cut], "bfloat16" if change == "dtype" else None)
    assert part.keys(ImageSource(image_set, **settings)) != before


@pytest.mark.parametrize("flip", [False, True])
def test_the_same_layers_in_another_graph_have_another_key(flip, image_set, tmp_path):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(name="body.flatten"), keras.layers.Dense(2, name="body.dense")]
    head, store, counts = keras.layers.Dense(3, name="head.logits"), ActivationStore(tmp_path, 1e9), []
    for flipped in (False, flip):
        x = inputs = keras.Input((32, 32, 3), name="pixels")
        x = layers[1](layers[0](keras.ops.flip(x, axis=-1) if flipped else x))
        model = keras.Model(inputs, head(x))
        [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
        source = CountingSource(image_set, 4)
        FrozenPart(model, [cut]).compute(source, {id(cut): store})
        counts.append(source.count)
    assert counts == [3, 3 if flip else 0]


@pytest.mark.parametrize("package", ["tl_keras", "PIL", "keras"])
def test_other_package_versions_have_another_key(package, model, image_set, monkeypatch):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    part, source = FrozenPart(model, [cut]), ImageSource(image_set, 4)
    before = part.keys(source)
    assert part.keys(source) == before
    monkeypatch.setattr(f"{package}.__version__", "0.0.0")
    assert part.keys(source) != before


def test_a_torn_file_is_computed_again(model, image_set, tmp_path, capsys):
    [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
    source = CountingSource(image_set, 4)
    expected = FrozenPart(model, [cut]).compute(source, {id(cut): ActivationStore(tmp_path, 1e9)})[id(cut)]
    expected = np.array(expected.images)
    [file] = tmp_path.glob("*.activations")
    file.write_bytes(file.read_bytes()[:-100])
    stored = FrozenPart(model, [cut]).compute(source, {id(cut): ActivationStore(tmp_path, 1e9)})[id(cut)]
    assert source.count == 6
    assert "will be computed again" in capsys.readouterr().out
    np.testing.assert_array_equal(stored.images, expected)


def text_classifier():
    """Builds a model with two blocks over tokens, both with the padding mask."""
    tokens = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "padding_mask")}
    hidden = keras.layers.Embedding(50, 4, name="embeddings.words")(tokens["token_ids"])
    for block in ("layer1", "layer2"):
        mixed = keras.layers.MultiHeadAttention(2, 2, name=f"{block}.attention")(
            hidden, hidden, attention_mask=tokens["padding_mask"][:, None, :]
        )
        hidden = keras.layers.Add(name=f"{block}.add")([hidden, mixed])
    pooled = keras.layers.GlobalAveragePooling1D(name="head.pool")(hidden, mask=tokens["padding_mask"])
    return keras.Model(tokens, keras.layers.Dense(2, name="head.logits")(pooled))


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_dropout_inside_the_part_is_detected(rate):
    x = inputs = keras.Input((4,))
    x = keras.layers.Dropout(rate, name="body.dropout")(keras.layers.Dense(3, name="body.dense")(x))
    model = keras.Model(inputs, keras.layers.Dense(2, name="head.logits")(keras.layers.Dropout(0.5)(x)))
    cuts = find_cuts_of_phases(model, [tl.Phase("head")])
    assert FrozenPart(model, cuts).draws_random_numbers() == (rate > 0)


def test_texts_are_stored_without_padding():
    model = text_classifier()
    lengths = np.array([3, 9, 1, 5, 2, 8, 4])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    words = np.random.default_rng(0).integers(1, 50, offsets[-1]).astype("int32")
    texts = TokenSet(words, offsets, None, np.zeros(7, "int32"), [""] * 7, [""] * 7, ("a", "b"), pad_id=0)
    whole = find_cuts_of_phases(model, [tl.Phase("head"), tl.Phase("layer2")])
    part, source = FrozenPart(model, whole), TokenSource(texts, 3)
    pooled, hidden = part.compute(source, in_memory(whole)).values()
    assert hidden.per_token and not pooled.per_token
    assert part.bytes_per_example(source)[id(whole[1])] == pytest.approx(lengths.mean() * 4 * 4)
    prefix = keras.Model(model.input, whole)
    for row in range(7):
        ids = words[None, offsets[row] : offsets[row + 1]]
        vector, tokens = prefix({"token_ids": ids, "padding_mask": np.ones_like(ids)})
        np.testing.assert_allclose(pooled.values[pooled.starts[row]], vector[0], atol=1e-6)
        start = hidden.starts[row]
        np.testing.assert_allclose(hidden.values[start : start + lengths[row]], tokens[0], atol=1e-6)


def test_the_clock_stops_when_the_device_has_finished(model, image_set, monkeypatch):
    class Pending:
        """Output of a device that has not computed it yet."""

        def numpy(self):
            time.sleep(0.2)

    cuts = find_cuts_of_phases(model, [tl.Phase("head")])
    part = FrozenPart(model, cuts)
    monkeypatch.setattr(part, "_function", lambda cuts: lambda inputs: [Pending()])
    [seconds] = part.measure_seconds(image_set.images[:4]).values()
    assert seconds >= 0.05
