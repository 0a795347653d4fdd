import zipfile

import keras
import numpy as np
import pytest
from keras import layers

import tl_keras as tl
from tl_keras.errors import InputError
from tl_keras.models.lora import add_lora, freeze_beside_lora, merge_lora
from tl_keras.models.saved.saving import save_model
from tl_keras.transfer.freezing import changeable_variables, freeze_to
from tl_keras.transfer.staged_adamw import StagedAdamW

TOKENS = np.random.default_rng(0).integers(0, 40, (12, 5))
LABELS = TOKENS[:, 0] % 2


@keras.saving.register_keras_serializable("tests")
class Attention(layers.Layer):
    """Contains nested dense layers, one of them with a kernel of three axes."""

    def build(self, input_shape):
        self.query = layers.EinsumDense(
            "btd,dhk->bthk", (None, 4, 8), bias_axes="hk", dtype=self.dtype_policy, name="query"
        )
        self.query.build(input_shape)
        self.output_dense = layers.EinsumDense(
            "bthk,hkd->btd", (None, 32), bias_axes="d", dtype=self.dtype_policy, name="output"
        )
        self.output_dense.build((None, 5, 4, 8))

    def call(self, inputs):
        return inputs + self.output_dense(self.query(inputs))


def text_model(policy="float32"):
    """Builds two blocks and a head; `block0.segments` is too small for an adapter."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input((5,), dtype="int32", name="inputs.tokens")
        x = layers.Embedding(40, 32, name="block0.tokens")(inputs)
        x = x + layers.Embedding(2, 32, name="block0.segments")(inputs % 2)
        x = layers.LayerNormalization(name="block0.norm")(x)
        x = Attention(name="block1.attention")(x)
        x = layers.Dense(24, "relu", name="block1.dense")(x)
        x = layers.GlobalAveragePooling1D(name="head.pool")(x)
        outputs = layers.Dense(2, dtype="float32", name="head.logits")(x)
    finally:
        keras.config.set_dtype_policy("float32")
    return keras.Model(inputs, outputs)


def fitted(model, epochs=3, rate=3e-2):
    model.compile(StagedAdamW(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(TOKENS, LABELS, epochs=epochs, verbose=0)
    return model


def predictions(model):
    return np.asarray(model(TOKENS)).astype("float32")


def paths(variables):
    return [variable.path for variable in variables]


def is_adapter(variable):
    return "lora" in variable.name


ADAPTED = ["block0.tokens/embeddings", "block1.attention/query/kernel", "block1.attention/output/kernel"]
ADAPTED += ["block1.dense/kernel"]


def test_outputs_stay_and_adapted_kernels_are_returned():
    model = text_model()
    before = predictions(model)
    assert sorted(add_lora(model, 3)) == sorted(ADAPTED)
    np.testing.assert_array_equal(predictions(model), before)


def test_a_layer_adds_the_scaled_product_to_its_kernel():
    model = text_model()
    add_lora(model, 3, alpha=6)
    dense, random = model.get_layer("block1.dense"), np.random.default_rng(1)
    a, b = random.normal(size=(32, 3)), random.normal(size=(3, 24))
    dense.lora_kernel_a.assign(a)
    dense.lora_kernel_b.assign(b)
    x = random.normal(size=(4, 32)).astype("float32")
    expected = x @ (dense._kernel.numpy() + 6 / 3 * a @ b) + dense.bias.numpy()
    np.testing.assert_allclose(np.asarray(dense(x)), np.maximum(expected, 0), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("eager")
def test_only_adapters_and_head_are_trainable():
    model = text_model()
    add_lora(model, 3)
    before = {variable.path: variable.numpy().copy() for variable in model.weights}
    fitted(model)
    moved = [v for v in model.weights if not np.array_equal(v.numpy(), before[v.path])]
    assert all(is_adapter(variable) or variable.path.startswith("head.") for variable in moved)
    assert len(moved) == 2 * len(ADAPTED) + 2


@pytest.mark.usefixtures("eager")
def test_the_optimizer_has_slots_for_trainable_variables_only():
    model = text_model()
    add_lora(model, 2)
    fitted(model, epochs=1)
    trainable = sum(v.numpy().size for v in model.trainable_variables)
    slots = sum(v.numpy().size for v in model.optimizer.variables if len(v.shape))
    per_variable = 2 * len(model.trainable_variables)  # multipliers and start steps
    assert slots == 2 * trainable + per_variable
    assert trainable < sum(v.numpy().size for v in model.weights) / 3


def unfreeze(model, train):
    """Unfreezes blocks like `freeze_to` and freezes the weights beside LoRA again."""
    freeze_to(model, train)
    freeze_beside_lora(model)
    return model


@pytest.mark.parametrize(
    ("train", "learning"),
    [
        ("head", ["head.logits"]),
        ("block1", ["block1.attention", "block1.dense", "head.logits"]),
        (["block0"], ["block0.tokens"]),
        ("all", ["block0.tokens", "block1.attention", "block1.dense", "head.logits"]),
    ],
)
def test_phases_unfreeze_adapters_by_block_and_never_a_kernel(train, learning):
    model = text_model()
    add_lora(model, 3)
    unfreeze(model, "all")
    unfreeze(model, train)
    trainable = model.trainable_variables
    assert list(dict.fromkeys(variable.path.split("/")[0] for variable in trainable)) == learning
    assert all(is_adapter(variable) or variable.path.startswith("head.") for variable in trainable)
    assert {id(v) for v in changeable_variables(model)} == {id(v) for v in trainable}


def test_freeze_beside_lora_does_not_change_other_models():
    model = text_model()
    freeze_beside_lora(model)
    assert len(model.trainable_variables) == len(model.weights)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_merging_keeps_the_predictions_and_returns_a_plain_model(policy, tmp_path):
    model, plain = text_model(policy), text_model(policy)
    add_lora(model, 3, alpha=6)
    untrained = predictions(model)
    fitted(model)
    trained = predictions(model)
    compiled = model.predict(TOKENS, verbose=0)
    assert np.abs(trained - untrained).max() > 0.1
    suffix = keras.Model(model.get_layer("block1.attention").output, model.output)
    features = np.random.default_rng(1).normal(size=(4, 5, 32))
    of_suffix = suffix.predict(features, verbose=0)
    assert merge_lora(model) == len(ADAPTED)
    tolerance = {"float32": 1e-5, "mixed_bfloat16": 0.1}[policy]
    np.testing.assert_allclose(predictions(model), trained, atol=tolerance)
    np.testing.assert_allclose(model.predict(TOKENS, verbose=0), compiled, atol=tolerance)
    assert paths(model.weights) == paths(plain.weights)
    np.testing.assert_allclose(suffix.predict(features, verbose=0), of_suffix, atol=tolerance)
    assert not any(map(is_adapter, suffix.weights))
    assert paths(model.trainable_variables) == paths(plain.trainable_variables)
    assert [layer.get_config() for layer in model.layers] == [layer.get_config() for layer in plain.layers]
    save_model(model, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert b'"lora' not in archive.read("config.json")
    opened = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(predictions(opened), predictions(model), atol=1e-6)


@pytest.mark.usefixtures("eager")
def test_a_merged_model_can_continue_training_and_get_new_adapters():
    model = text_model()
    add_lora(model, 3)
    merge_lora(fitted(model, epochs=1))
    before = {variable.path: variable.numpy().copy() for variable in model.weights}
    fitted(model, epochs=1)
    assert not any(np.array_equal(v.numpy(), before[v.path]) for v in model.weights)
    assert len(add_lora(model, 2)) == len(ADAPTED)


def test_merging_a_plain_model_changes_nothing():
    model = text_model()
    before = predictions(model)
    model.get_layer("block1.dense").trainable = False
    assert merge_lora(model) == 0
    np.testing.assert_array_equal(predictions(model), before)
    assert not model.get_layer("block1.dense").trainable


def test_variables_have_the_same_unique_paths_and_values_in_another_process():
    first, second = text_model(), text_model()
    add_lora(first, 3)
    add_lora(second, 3)
    assert paths(first.variables) == paths(second.variables)
    assert len(set(paths(first.variables))) == len(first.variables)
    assert "block1.attention/query/lora_kernel_a" in paths(first.variables)
    for variable in first.trainable_variables:
        variable.assign_add(np.random.default_rng(0).normal(size=variable.shape).astype("float32"))
    for new, old in zip(second.variables, first.variables, strict=True):
        new.assign(old)
    np.testing.assert_array_equal(predictions(second), predictions(first))


def test_adapters_can_be_limited_to_blocks():
    model = text_model()
    assert add_lora(model, 3, blocks=["block1"]) == [path for path in add_lora(text_model(), 3) if "block1" in path]
    assert {variable.path.split("/")[0] for variable in model.trainable_variables} == {
        "block1.attention",
        "block1.dense",
        "head.logits",
    }


def test_the_last_layer_is_the_head_of_a_model_without_block_names():
    inner = keras.Sequential([layers.Input((9,)), layers.Dense(8, name="first"), layers.Dense(8, name="second")])
    inputs = keras.Input((9,))
    model = keras.Model(inputs, layers.Dense(2, name="last")(inner(inputs)))
    add_lora(model, 2)
    assert {v.path.split("/")[-2] for v in model.trainable_variables} == {"first", "second", "last"}
    assert not hasattr(model.get_layer("last"), "lora_kernel_a")
    assert merge_lora(model) == 2


def test_constrained_kernels_get_no_adapters():
    parts = [layers.Input((9,)), layers.Dense(8, kernel_constraint="non_neg"), layers.Dense(8), layers.Dense(2)]
    assert len(add_lora(keras.Sequential(parts), 2)) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rank": 0}, "lora_rank is 0"),
        ({"rank": 2.5}, "lora_rank is 2.5"),
        ({"rank": 400}, "give at most 17"),
        ({"rank": 2, "alpha": 0}, "lora_alpha is 0"),
        ({"rank": 2, "alpha": float("nan")}, "lora_alpha is nan"),
        ({"rank": 2, "blocks": ["block2"]}, "Unknown LoRA block 'block2': did you mean 'block"),
        ({"rank": 2, "blocks": ["head"]}, "Unknown LoRA block 'head'"),
    ],
)
def test_bad_arguments_are_refused(options, words):
    model = text_model()
    with pytest.raises(InputError, match=words):
        add_lora(model, **options)
    assert paths(model.trainable_variables) == paths(text_model().trainable_variables)


def test_adding_lora_twice_is_refused():
    model = text_model()
    add_lora(model, 2)
    with pytest.raises(InputError, match="has LoRA already"):
        add_lora(model, 2)


@pytest.mark.usefixtures("small_network")
def test_a_purely_convolutional_network_is_refused():
    model = tl.build_image_classifier("efficientnet_lite0", num_classes=2, weights=None, image_size=32)
    with pytest.raises(InputError, match="no dense layers: take convnext_tiny"):
        add_lora(model, 8)


def test_an_unbuilt_model_is_refused():
    with pytest.raises(InputError, match="no weights yet"):
        add_lora(keras.Sequential([layers.Dense(3)]), 1)


def bert_model():
    keras_hub = pytest.importorskip("keras_hub")
    keras.utils.set_random_seed(0)
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 32, "intermediate_dim": 64}
    backbone = keras_hub.models.BertBackbone(40, **sizes, max_sequence_length=5, dropout=0.0)
    outputs = layers.Dense(2, name="logits")(backbone.output["sequence_output"][:, 0])
    return keras.Model(backbone.input, outputs), backbone


@pytest.mark.slow
def test_bert_trains_adapters_in_all_its_layers(tmp_path):
    model, backbone = bert_model()
    inputs = {"token_ids": TOKENS, "segment_ids": TOKENS * 0, "padding_mask": TOKENS * 0 + 1}
    adapted = add_lora(model, 4)
    assert len(adapted) == 1 + 2 * 6  # the token embedding; four kernels of attention and two of the feed-forward part
    assert "transformer_layer_1/self_attention_layer/query/kernel" in adapted
    model.compile(StagedAdamW(3e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(inputs, LABELS, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    trained = model.predict(inputs, verbose=0)
    merge_lora(model)
    save_model(model, tmp_path / "bert.keras")
    opened = keras.models.load_model(tmp_path / "bert.keras")
    np.testing.assert_allclose(opened.predict(inputs, verbose=0), trained, atol=1e-5)
    assert paths(model.weights) == paths(bert_model()[0].weights)


@pytest.mark.slow
def test_convnext_trains_adapters_in_its_dense_layers(tmp_path):
    model = tl.build_image_classifier("convnext_tiny", num_classes=2, weights=None, image_size=32, dropout=0.0)
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")
    assert len(add_lora(model, 8)) == 36
    assert sum(v.numpy().size for v in model.trainable_variables) < 0.02 * model.count_params()
    model.compile(StagedAdamW(1e-3), "categorical_crossentropy")
    model.fit(images, np.eye(2)[[0, 1, 0, 1]], epochs=2, verbose=0)
    trained = model.predict(images, verbose=0)
    merge_lora(model)
    save_model(model, tmp_path / "model.keras")
    opened = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(opened.predict(images, verbose=0), trained, atol=1e-5)
