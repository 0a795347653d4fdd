import keras
import numpy as np
import pytest
from keras import layers

from tests.models.small_backbone import BLOCKS, small_backbone
from tl_keras.errors import InputError
from tl_keras.models.head_blocks import block_outputs, head_columns
from tl_keras.models.images.classifiers import build_image_classifier
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.transfer import features_before_head

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def network():
    return small_backbone("small", image_size=32)


@pytest.fixture
def build(monkeypatch):
    monkeypatch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)

    def build(head_blocks, **options):
        return build_image_classifier("small", 3, image_size=32, weights=None, head_blocks=head_blocks, **options)

    return build


@pytest.mark.parametrize(
    "head_blocks, blocks",
    [("last", ["top"]), ("all", [*BLOCKS]), (["top", "stem"], ["stem", "top"]), (("block6",), ["block6"])],
)
def test_a_block_ends_where_the_next_one_starts(network, head_blocks, blocks):
    outputs = block_outputs(network, head_blocks)
    assert list(outputs) == blocks
    assert all(outputs[block] is network.get_layer(f"{block}.relu").output for block in blocks)


@pytest.mark.parametrize("block, nearest", [("block66", "block6"), ("preprocessing", "stem, block6, block7, top")])
def test_an_unknown_block_is_refused(network, block, nearest):
    with pytest.raises(InputError, match=f"Unknown block in model.head_blocks '{block}'.*{nearest}"):
        block_outputs(network, ["stem", block])


def test_a_block_that_passes_several_tensors_is_refused():
    inputs = keras.Input((4,), name="preprocessing.input")
    first = layers.Dense(4, name="a.first")(inputs)
    outputs = layers.Add(name="b.sum")([first, layers.Dense(4, name="a.second")(first)])
    network = keras.Model(inputs, layers.Dense(4, name="c.dense")(outputs), name="forked")
    assert list(block_outputs(network, ["b", "c"])) == ["b", "c"]
    with pytest.raises(InputError, match="contains a, but later blocks of 'forked' read 2 tensors of it"):
        block_outputs(network, "all")


@pytest.mark.parametrize(
    "head_blocks, options, widths",
    [
        ("last", {}, {"top": 32}),
        ("last", {"pooling": "concat", "dropout": 0}, {"top": 64}),
        ("all", {"hidden_units": 5}, {"stem": 8, "block6": 16, "block7": 24, "top": 32}),
        (["block7", "stem"], {"pooling": "concat"}, {"stem": 16, "block7": 48}),
        (["block6"], {"dropout": 0, "output": "logits"}, {"block6": 16}),
    ],
)
def test_the_columns_are_those_of_the_features_before_the_head(build, tmp_path, head_blocks, options, widths):
    model = build(head_blocks, **options)
    columns = head_columns(model)
    assert {block: part.stop - part.start for block, part in columns.items()} == widths
    save_model(model, tmp_path / "model.keras")
    opened = open_model(tmp_path / "model.keras")
    assert head_columns(opened) == columns
    np.testing.assert_allclose(opened(IMAGES), model(IMAGES), atol=1e-6)
    names = [f"{block}.relu" for block in widths]
    *outputs, features = keras.Model(
        model.input, [*[model.get_layer(name).output for name in names], features_before_head(model)]
    )(IMAGES)
    for (block, part), output in zip(columns.items(), outputs, strict=True):
        pooled = np.mean(output, (1, 2))
        np.testing.assert_allclose(features[:, part][:, : pooled.shape[1]], pooled, atol=1e-5, err_msg=block)
    assert features.shape[1] == sum(widths.values())


def test_a_model_without_a_head_of_this_project_is_refused(network):
    with pytest.raises(InputError, match="has no layer head.logits"):
        head_columns(network)
