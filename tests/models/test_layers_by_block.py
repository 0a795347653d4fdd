import keras
from keras import layers

from tl_keras.models.layers_by_block import head_of, layers_by_block


def dense_layers(*names, **options):
    return keras.Sequential([layers.Input((4,)), *(layers.Dense(3, name=name) for name in names)], **options)


def block_names(model):
    return list(layers_by_block(model))


def test_blocks_of_equal_name_in_different_models_are_qualified():
    model = keras.Sequential([dense_layers("dense", "x.a", "x.b", name="base"), layers.Dense(2, name="dense")])
    assert block_names(model) == ["base/dense", "x", "dense"]
    assert layers_by_block(model)["dense"] == [model.layers[-1]]
    assert head_of(model) == ["dense"]


def test_a_block_that_states_its_name_is_not_joined_with_that_of_a_nested_model():
    base = dense_layers("block1.dense", "head.logits", name="base")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2, name="head.new")(base(inputs)))
    assert block_names(model) == ["block1", "base/head", "head"]
    assert head_of(model) == ["head"]


class SameNames(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = (layers.Dense(4, name="dense") for _ in range(2))

    def call(self, inputs):
        return self.second(self.first(inputs))


def test_layers_of_equal_name_in_a_subclass_are_numbered():
    model = SameNames()
    model(keras.ops.ones((1, 4)))
    assert layers_by_block(model) == {"dense": [model.first], "dense#2": [model.second]}


def test_a_layer_that_two_nested_models_share_is_in_one_block():
    shared = dense_layers("dense", name="inner")
    inputs = keras.Input((4,))
    towers = [keras.Model(inputs, shared(inputs), name=name) for name in ("left", "right")]
    model = keras.Model(inputs, layers.Dense(1, name="out")(layers.Add()([tower(inputs) for tower in towers])))
    assert block_names(model) == ["dense", "out"]


def model_of_three_outputs():
    inputs = keras.Input((4,))
    trunk1 = layers.Dense(3, name="trunk1")(inputs)
    auxiliary = layers.Dense(2, name="auxiliary")(trunk1)
    trunk2 = layers.Dense(3, name="trunk2")(layers.Dense(3, name="trunk1b")(trunk1))
    kind = layers.Softmax()(layers.Dense(2, name="kind")(trunk2))
    size = layers.Dense(1, name="size")(layers.Dense(2, name="size_hidden")(trunk2))
    return keras.Model(inputs, {"kind": kind, "size": size, "auxiliary": auxiliary, "features": trunk2})


def test_the_last_layers_of_all_outputs_are_the_head():
    model = model_of_three_outputs()
    assert set(head_of(model)) == {"kind", "size", "auxiliary"}
    assert block_names(model)[:4] == ["trunk1", "trunk1b", "trunk2", "size_hidden"]


def test_the_head_of_a_nested_model_with_several_outputs_is_found():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, model_of_three_outputs()(inputs))
    assert set(head_of(model)) == {"kind", "size", "auxiliary"}


def test_the_block_head_and_later_ones_are_the_head():
    assert head_of(dense_layers("body", "head", "scale")) == ["head", "scale"]
