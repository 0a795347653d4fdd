import functools

import keras
import numpy as np
import pytest

import tl_keras as tl
from tests.cheap_weights import cheap_weights
from tests.models.tiny_encoders import save_preset, token_inputs
from tl_keras.transfer import trainable_blocks
from tl_keras.transfer.activations.cuts import (
    find_cuts,
    find_cuts_of_phases,
    find_phase_cut,
    has_tokens,
    prefix_model,
    settled_since,
    suffix_model,
)
from tl_keras.transfer.activations.packing import describe_cut


@pytest.fixture(scope="module", autouse=True)
def fast_building():
    with cheap_weights():
        yield


def branched(dropout=0.5):
    """Builds stem -> two branches -> join -> head with dropout."""
    inputs = keras.Input((8, 8, 3), name="image")
    stem = keras.layers.Conv2D(4, 3, padding="same", name="stem.conv")(inputs)
    left = keras.layers.Conv2D(4, 1, name="block1.left")(stem)
    right = keras.layers.Conv2D(4, 3, padding="same", name="block1.right")(stem)
    joined = keras.layers.Add(name="block1.add")([left, right])
    pooled = keras.layers.GlobalAveragePooling2D(name="head.pool")(joined)
    dropped = keras.layers.Dropout(dropout, name="head.dropout")(pooled)
    return keras.Model(inputs, keras.layers.Dense(2, name="head.logits")(dropped))


def origin(tensor):
    return tensor._keras_history.operation.name


def test_cuts_are_points_with_a_single_live_tensor():
    names = [origin(tensor) for _, tensor in find_cuts(branched())]
    assert names == ["image", "stem.conv", "block1.add", "head.pool", "head.dropout", "head.logits"]


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [(["head"], "head.pool"), (["block1", "head"], "stem.conv"), (["block1"], "stem.conv")],
)
def test_the_cut_of_a_phase_is_the_last_before_a_trainable_block(trainable, expected):
    assert origin(find_phase_cut(branched(), trainable)) == expected


def nested():
    """Builds a nested model of two blocks, as of a KerasHub transformer, before a head."""
    inner = keras.Input((8, 8, 3))
    outputs = keras.layers.Conv2D(4, 1, name="encoder")(keras.layers.Conv2D(4, 3, name="embedding")(inner))
    image = keras.Input((8, 8, 3), name="image")
    features = keras.Model(inner, outputs, name="body.network")(keras.layers.Rescaling(2.0, name="first.scale")(image))
    pooled = keras.layers.GlobalAveragePooling2D(name="head.pool")(features)
    return keras.Model(image, keras.layers.Dense(2, name="head.logits")(pooled))


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [(["head"], "head.pool"), (["encoder", "head"], "first.scale"), (["embedding"], "first.scale")],
)
def test_blocks_inside_a_nested_model_are_not_cached_while_they_train(trainable, expected):
    assert origin(find_phase_cut(nested(), trainable)) == expected


def test_a_nested_model_settles_with_its_last_trained_block():
    model = nested()
    phases = [tl.Phase(train=train, epochs=1, learning_rate=0.1) for train in (["encoder", "head"], "head")]
    assert settled_since(model, phases, find_cuts_of_phases(model, phases)) == [0, 1]


def test_only_inactive_dropout_is_part_of_the_prefix():
    assert origin(find_phase_cut(branched(dropout=0.5), ["head"])) == "head.pool"
    assert origin(find_phase_cut(branched(dropout=0.0), ["head"])) == "head.dropout"


def test_there_is_no_cut_if_the_first_block_is_trainable():
    assert find_phase_cut(branched(), ["stem"]) is None


def test_dropout_without_a_block_stays_in_the_suffix():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(3, name="first")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, name="last")(hidden))
    assert origin(find_phase_cut(model, ["last"])) == "first"


@functools.cache
def classifier(backbone, head_blocks, size):
    with cheap_weights():
        return tl.build_image_classifier(backbone, 3, weights=None, image_size=size, head_blocks=head_blocks)


@functools.cache
def images_and_outputs(*key):
    model, size = classifier(*key), key[-1]
    images = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
    return images, np.asarray(model(images))


@pytest.mark.parametrize(
    ("backbone", "head_blocks"),
    [("vgg16", "last"), ("inception_v3", "last"), ("efficientnet_lite0", "last"), ("efficientnet_lite0", "all")],
)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_prefix_and_suffix_share_weights_and_equal_the_whole_model(backbone, head_blocks, depth):
    size = 75 if backbone == "inception_v3" else 32
    model = classifier(backbone, head_blocks, size)
    cut = find_phase_cut(model, tl.block_names(model)[-depth:])
    prefix, suffix = prefix_model(model, cut), suffix_model(model, cut)
    images, expected = images_and_outputs(backbone, head_blocks, size)
    np.testing.assert_allclose(suffix(prefix(images)), expected, atol=1e-6)
    assert {id(v) for v in (*prefix.weights, *suffix.weights)} == {id(v) for v in model.weights}


def test_the_cut_of_each_phase_is_settled_after_the_last_earlier_phase_that_changes_its_prefix():
    model = classifier("efficientnet_lite0", "last", 32)
    trains = ["head", ["block6"], "top", "head", "block5", "all", ["block2"]]
    phases = [tl.Phase(train) for train in trains]
    cuts = find_cuts_of_phases(model, phases)
    blocks = [origin(cut).split(".")[0] for cut in cuts]
    assert blocks == ["head", "block5", "block7", "head", "block4", "preprocessing", "block1"]
    assert settled_since(model, phases, cuts) == [0, 0, 2, 3, 0, 0, 6]


def build_with_all_blocks(**options):
    return tl.build_image_classifier("small", 3, weights=None, image_size=32, head_blocks="all", **options)


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("pooling", ["average", "concat"])
def test_a_cut_before_the_head_of_several_blocks_packs_what_it_has_pooled(pooling):
    model = build_with_all_blocks(pooling=pooling)
    phases = [tl.Phase(train) for train in ("head", "top", "block7", "stem", ["top"])]
    cuts = find_cuts_of_phases(model, phases)
    count = 2 if pooling == "concat" else 1
    packed = [f"block7.relu and {3 * count} pooled vectors", f"block6.relu and {2 * count} pooled vectors"]
    assert list(map(describe_cut, cuts)) == ["head.concat", *packed, "preprocessing.scale", packed[0]]
    assert cuts[1] is cuts[4]
    assert settled_since(model, phases, cuts) == [0, 0, 0, 0, 4]
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    for cut, values in zip(cuts[:4], prefix_model(model, cuts[:4])(images), strict=True):
        np.testing.assert_array_equal(suffix_model(model, cut)(values), model(images))


@pytest.mark.usefixtures("small_network")
def test_a_packed_cut_has_the_dtype_of_its_map():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_with_all_blocks()
        cut = find_phase_cut(model, ["top", "head"])
        suffix = suffix_model(model, cut)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert cut.dtype == suffix.input.dtype == "bfloat16"
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(suffix(prefix_model(model, cut)(images)), model(images))


def test_the_outputs_of_unpooled_branches_are_not_packed():
    inputs = keras.Input((8,), name="image")
    left, right = (keras.layers.Dense(4, name=f"block1.{side}")(inputs) for side in ("left", "right"))
    joined = keras.layers.Add(name="block2.add")([left, right])
    model = keras.Model(inputs, keras.layers.Dense(2, name="head.logits")(joined))
    assert describe_cut(find_phase_cut(model, ["head"])) == "block2.add"


def tokens_model():
    """Builds embeddings -> layer with padding mask -> pooling with padding mask -> head."""
    tokens = {name: keras.Input((None,), dtype="int32", name=name) for name in ("padding_mask", "token_ids")}
    hidden = keras.layers.Embedding(9, 4, name="embeddings.words")(tokens["token_ids"])
    mask = tokens["padding_mask"][:, None, :]
    hidden = keras.layers.MultiHeadAttention(1, 4, name="layer1.attention")(hidden, hidden, attention_mask=mask)
    pooled = keras.layers.GlobalAveragePooling1D(name="head.pool")(hidden, mask=tokens["padding_mask"])
    return keras.Model(tokens, keras.layers.Dense(2, name="head.logits")(pooled))


@pytest.mark.parametrize(
    ("trainable", "expected", "tokens"),
    [(["head"], "head.pool", False), (["layer1", "head"], "embeddings.words", True)],
)
def test_the_padding_mask_is_an_input_of_the_suffix(trainable, expected, tokens):
    model = tokens_model()
    cut = find_phase_cut(model, trainable)
    assert (origin(cut), has_tokens(model, cut)) == (expected, tokens)
    ids = np.array([[3, 5, 1], [2, 0, 0]])
    inputs = {"token_ids": ids, "padding_mask": np.array([[1, 1, 1], [1, 0, 0]])}
    hidden = prefix_model(model, cut)(inputs)
    suffix = suffix_model(model, cut)
    outputs = suffix.predict([np.array(hidden), inputs["padding_mask"]] if tokens else np.array(hidden), verbose=0)
    np.testing.assert_allclose(outputs, model(inputs), atol=1e-6)


def test_the_token_inputs_are_not_a_cut():
    assert find_phase_cut(tokens_model(), ["embeddings"]) is None


@pytest.fixture(scope="module")
def text_classifier(tmp_path_factory):
    """Text classifier whose head has all blocks; prefixes and suffixes share its layers and change none."""
    folder = tmp_path_factory.mktemp("encoder")
    save_preset(folder, "deberta_v3")
    return tl.build_text_classifier(folder, 2, head_blocks="all")


@pytest.mark.parametrize(
    ("train", "expected"), [("head", "head.concat"), ("layer1", "embeddings"), ("layer2", "embeddings")]
)
def test_a_text_classifier_with_all_blocks_has_cuts_at_the_ends(text_classifier, train, expected):
    model = text_classifier
    cut = find_phase_cut(model, trainable_blocks(model, train))
    assert origin(cut).startswith(expected) and has_tokens(model, cut) == (expected == "embeddings")
    inputs = token_inputs(model.tokenizer)
    values = np.array(prefix_model(model, cut)(inputs))
    suffix = suffix_model(model, cut)
    outputs = suffix([values, inputs["padding_mask"]] if expected == "embeddings" else values)
    np.testing.assert_allclose(outputs, model(inputs), atol=1e-6)
