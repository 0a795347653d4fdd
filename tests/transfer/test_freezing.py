import keras
import pytest
from keras import layers

from tests.transfer.tiny_models import blocks_model, nested_model, sequential_model
from tl_keras.errors import InputError
from tl_keras.transfer.freezing import (
    block_names,
    changeable_variables,
    find_batch_norms,
    freeze_to,
    resolve_blocks,
    variables_by_block,
)

BLOCKS = ["stem", "block1", "block2", "top"]


def trainable_paths(model):
    return {variable.path.split("/", 1)[-1] for variable in model.trainable_variables}


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (blocks_model, ["block1", "block2", "head"]),
        (nested_model, ["conv", "norm", "logits"]),
        (sequential_model, ["standardize", "features", "norm", "logits"]),
    ],
)
def test_block_names_are_ordered_from_input_to_head(build, names):
    assert block_names(build()) == names


@pytest.mark.parametrize(
    ("train", "trainable"),
    [
        ("all", BLOCKS),
        ("stem", BLOCKS),
        ("block2", ["block2", "top"]),
        ("head", ["top"]),
        ("top", ["top"]),
        (["stem", "top"], ["stem", "top"]),
        (["head", "block1", "block1"], ["block1", "top"]),
        (["all"], BLOCKS),
    ],
)
def test_train_resolves_to_blocks(train, trainable):
    assert resolve_blocks(train, BLOCKS) == trainable


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("blok1", "Unknown block 'blok1': did you mean 'block1'"),
        (["top", "blok2"], "Unknown block 'blok2': did you mean 'block2'"),
        ([], "empty list of blocks"),
    ],
)
def test_unknown_blocks_are_refused(train, message):
    with pytest.raises(InputError, match=message):
        resolve_blocks(train, BLOCKS)


def test_a_block_named_head_need_not_be_the_last():
    assert resolve_blocks("head", ["body", "head", "scale"]) == ["head", "scale"]


@pytest.mark.parametrize(
    ("train", "batch_norm", "expected"),
    [
        ("head", "inference", {"logits"}),
        ("block2", "inference", {"block2.conv", "logits"}),
        ("block2", "train", {"block2.conv", "block2.norm", "logits"}),
        (["block1"], "train", {"block1.conv", "block1.norm"}),
        ("all", "inference", {"block1.conv", "block2.conv", "logits"}),
    ],
)
def test_exactly_the_named_blocks_are_trainable(train, batch_norm, expected):
    model = blocks_model()
    freeze_to(model, train, batch_norm)
    trainable = {variable.path.split("/")[0] for variable in model.trainable_variables}
    assert trainable == {name if "." in name else f"head.{name}" for name in expected}


def test_earlier_trainable_flags_are_overwritten():
    model = nested_model()
    model.trainable = False
    model.get_layer("backbone").trainable = False
    freeze_to(model, "all", "train")
    assert len(model.trainable_variables) == 6
    freeze_to(model, "head")
    assert {variable.path for variable in model.trainable_variables} == {"logits/kernel", "logits/bias"}


def test_an_unknown_batch_norm_policy_is_refused():
    with pytest.raises(InputError, match="Unknown batch_norm 'infernce': did you mean 'inference'"):
        freeze_to(blocks_model(), "head", "infernce")


@keras.saving.register_keras_serializable("test")
class NormedDense(layers.Layer):
    """Combines a dense layer with batch normalization, as a user's composite layer may."""

    def __init__(self, name):
        super().__init__(name=name)
        self.dense = layers.Dense(3)
        self.norm = layers.BatchNormalization()

    def build(self, shape):
        self.dense.build(shape)
        self.norm.build((*shape[:-1], 3))

    def call(self, x, training=False):
        return self.norm(self.dense(x), training=training)


@pytest.mark.parametrize(("batch_norm", "count"), [("inference", 2), ("train", 4)])
def test_batch_norm_inside_a_composite_layer_is_frozen(batch_norm, count):
    model = keras.Sequential([layers.Input((2,)), NormedDense("composite"), layers.Dense(1, name="out")])
    freeze_to(model, ["composite"], batch_norm)
    assert len(model.trainable_variables) == count
    assert len(changeable_variables(model)) == (count if batch_norm == "inference" else 6)
    freeze_to(model, "head", batch_norm)
    assert len(model.trainable_variables) == 2


def two_output_model():
    inputs = layers.Input((2,))
    x = layers.Dense(3, name="trunk")(inputs)
    return keras.Model(inputs, [layers.Dense(2, name="kind")(x), layers.Dense(1, name="size")(x)])


@pytest.mark.parametrize(
    ("train", "names"),
    [("head", {"kind", "size"}), (["head"], {"kind", "size"}), ("trunk", {"trunk", "kind", "size"})],
)
def test_all_heads_are_trained_together(train, names):
    model = two_output_model()
    assert block_names(model) == ["trunk", "kind", "size"]
    freeze_to(model, train)
    assert {variable.path.split("/")[0] for variable in model.trainable_variables} == names


def test_batch_norm_is_found_in_its_blocks_alone():
    model = blocks_model()
    assert find_batch_norms(model, ["block1", "head"]) and not find_batch_norms(model, ["head"])


class TiedOutput(layers.Layer):
    """Uses the embedding layer of another block, like a masked language model head."""

    def __init__(self, embedding, name):
        super().__init__(name=name)
        self.embedding = embedding
        self.scale = self.add_weight(shape=(4,), name="scale")

    def call(self, x):
        return keras.ops.matmul(x * self.scale, keras.ops.transpose(self.embedding.embeddings))


@pytest.mark.parametrize(("train", "paths"), [("head", {"scale"}), ("all", {"embeddings", "scale"})])
def test_a_shared_layer_is_frozen_with_its_frozen_block(train, paths):
    embedding = layers.Embedding(5, 4, name="embedding")
    inputs = layers.Input((3,), dtype="int32")
    model = keras.Model(inputs, TiedOutput(embedding, name="output")(embedding(inputs)))
    freeze_to(model, train)
    assert trainable_paths(model) == paths


class OwnWeight(keras.Model):
    """Has a weight outside its layers, such as a class token."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.dense = layers.Dense(3, name="inner")
        self.token = self.add_weight(shape=(2,), name="token")

    def build(self, shape):
        self.dense.build(shape)
        self.built = True

    def call(self, x):
        return self.dense(x + self.token)


def test_a_nested_model_with_its_own_weights_is_one_block():
    inputs = layers.Input((2,))
    model = keras.Model(inputs, layers.Dense(1, name="out")(OwnWeight("encoder")(inputs)))
    assert block_names(model) == ["encoder", "out"]
    freeze_to(model, "head")
    assert len(model.trainable_variables) == 2


def test_weights_outside_layers_are_refused():
    model = OwnWeight()
    model.build((None, 2))
    with pytest.raises(InputError, match="holds the weight .*token.* outside its layers"):
        freeze_to(model, "head")


def test_a_model_without_weights_is_refused():
    with pytest.raises(InputError, match="has no weights yet: build it first"):
        block_names(keras.Sequential([layers.Dense(2)]))


def test_variables_by_block_has_every_weight_once_and_no_random_state():
    inputs = layers.Input((3, 4))
    attention = layers.MultiHeadAttention(1, 2, dropout=0.5, name="block1.attention")
    model = keras.Model(inputs, layers.Dense(1, name="head")(attention(inputs, inputs)))
    blocks = variables_by_block(model)
    assert list(blocks) == ["block1", "head"]
    paths = [variable.path for variables in blocks.values() for variable in variables]
    assert sorted(paths) == sorted(weight.path for weight in model.weights)


def test_statistics_of_trainable_layers_are_changeable():
    model = blocks_model()
    freeze_to(model, "block2", "train")
    assert len(changeable_variables(model)) == 1 + 4 + 2
    freeze_to(model, "block2", "inference")
    assert len(changeable_variables(model)) == 1 + 2


@pytest.mark.parametrize(
    ("pattern", "message"), [("regex:bais$", "matches no weight"), ("regex:(", "not a valid regular expression")]
)
def test_an_invalid_pattern_or_one_without_match_is_refused(pattern, message):
    with pytest.raises(InputError, match=message):
        freeze_to(blocks_model(), pattern)
