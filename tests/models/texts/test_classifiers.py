import functools
import json

import keras
import keras_hub
import numpy as np
import pytest

from tests.eager_functions import eager_functions
from tests.models.tiny_encoders import BLOCKS, FAMILIES, TEXTS, save_preset, token_inputs, write_checkpoint
from tl_keras.errors import InputError
from tl_keras.models.head_blocks import block_outputs, head_columns
from tl_keras.models.lora import add_lora, merge_lora
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input
from tl_keras.models.texts.tokenizers import build_tokenizer
from tl_keras.transfer import block_names, freeze_to


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return folder


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """Function of a family that returns its preset folder, its backbone and tokens, made once."""

    @functools.cache
    def make(family):
        folder = tmp_path_factory.mktemp(family)
        backbone, _ = save_preset(folder, family)
        return folder, backbone, token_inputs(build_tokenizer(folder))

    return make


def features_before_the_head(model):
    return keras.Model(model.input, model.get_layer("head.dropout").input)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_opened_from_a_preset_folder(preset, family):
    folder, backbone, inputs = preset(family)
    model = build_text_classifier(folder, 3)
    pooler = ["pooler"] if family in ("bert", "albert") else []
    assert block_names(model) == [*BLOCKS[family], *pooler, "head"]
    assert set(model.input) == set(inputs)
    np.testing.assert_allclose(np.asarray(model(inputs)).sum(1), 1, atol=1e-5)
    expected = backbone(inputs)
    if isinstance(expected, dict):
        expected = expected["pooled_output"]
    else:
        mask = inputs["padding_mask"][:, :, None]
        expected = (np.asarray(expected) * mask).sum(1) / mask.sum(1)
    np.testing.assert_allclose(np.asarray(features_before_the_head(model)(inputs)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "pooling"), [("bert", None), ("albert", None), *((one, "average") for one in FAMILIES)]
)
def test_a_head_reads_every_block_of_every_family(preset, family, pooling):
    folder, _, inputs = preset(family)
    model = build_text_classifier(folder, 3, head_blocks="all", pooling=pooling)
    has_pooler = pooling is None and family in ("bert", "albert")
    blocks = [*BLOCKS[family], *["pooler"] * has_pooler]
    assert head_columns(model) == {block: slice(16 * n, 16 * n + 16) for n, block in enumerate(blocks)}
    mask = inputs["padding_mask"][:, :, None]
    hidden = np.asarray(keras.Model(model.input, block_outputs(model, "all")["embeddings"])(inputs))
    expected = hidden[:, 0] if has_pooler else (hidden * mask).sum(1) / mask.sum(1)
    np.testing.assert_allclose(features_before_the_head(model)(inputs)[:, :16], expected, atol=1e-5)


def test_a_head_of_all_blocks_is_trained_with_lora_merged_and_saved_with_its_tokenizer(checkpoint, tmp_path):
    model = build_text_classifier(checkpoint, 2, head_blocks="all", pooling="average")
    add_lora(model, 2)
    inputs = token_inputs(model.tokenizer)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    with eager_functions():
        model.fit(inputs, np.array([0, 1, 0]), verbose=0)
    adapted = np.asarray(model(inputs))
    merge_lora(model)
    np.testing.assert_allclose(model(inputs), adapted, atol=1e-5)
    whole = with_text_input(model)
    save_model(whole, tmp_path / "model.keras")
    opened = open_model(tmp_path / "model.keras")
    np.testing.assert_allclose(opened.predict(np.array(TEXTS, object), verbose=0), adapted, atol=1e-5)
    assert head_columns(opened) == head_columns(model)


def reference(tensors, ids, activation, epsilon, first_position=0):
    """Computes the hidden states of one row after Devlin et al. 2018 in NumPy."""

    def dense(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
        return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    tensors = {name: value.astype("float64") for name, value in tensors.items()}
    positions = tensors["embeddings.position_embeddings.weight"][first_position:][: len(ids)]
    x = tensors["embeddings.word_embeddings.weight"][ids] + positions
    x = norm(x + tensors["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(2):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            dense(x, f"{layer}.attention.self.{name}").reshape(-1, 2, 8).swapaxes(0, 1)
            for name in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(8))
        mixed = (scores / scores.sum(-1, keepdims=True) @ value).swapaxes(0, 1).reshape(-1, 16)
        x = norm(x + dense(mixed, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        inner = activation(dense(x, f"{layer}.intermediate.dense"))
        x = norm(x + dense(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x


def exact_gelu(x):
    return np.asarray(keras.activations.gelu(x, approximate=False))


def tanh_gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize(
    "name, activation, epsilon", [("gelu", exact_gelu, 1e-12), ("gelu_new", tanh_gelu, 1e-2), ("relu", None, 1e-5)]
)
def test_a_hugging_face_bert_equals_numpy(tmp_path, name, activation, epsilon):
    activation = activation or (lambda x: np.maximum(x, 0))
    tensors = write_checkpoint(tmp_path, activation=name, epsilon=epsilon)
    model = build_text_classifier(tmp_path, 2, pooling="average", dropout=0.5)
    save_model(model, tmp_path / "model.keras")
    inputs = token_inputs(model.tokenizer)
    expected = [
        reference(tensors, row[mask == 1], activation, epsilon).mean(0)
        for row, mask in zip(inputs["token_ids"], inputs["padding_mask"], strict=True)
    ]
    for candidate in (model, keras.models.load_model(tmp_path / "model.keras")):
        np.testing.assert_allclose(np.asarray(features_before_the_head(candidate)(inputs)), expected, atol=1e-5)


def test_a_hugging_face_roberta_without_head_equals_numpy(tmp_path):
    tensors = write_checkpoint(tmp_path, kind="roberta", epsilon=1e-5, pooler=False)
    letters = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abdefgilmo", "Ġ", ",", "!", "Ġf"]
    model = {"type": "BPE", "vocab": {letter: number for number, letter in enumerate(letters)}, "merges": [["Ġ", "f"]]}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}))
    model = build_text_classifier(tmp_path, 2, dropout=0.5)
    assert model.tokenizer.max_tokens == 38
    (ids,) = model.tokenizer.encode(["good film"])
    assert [letters[number] for number in ids] == ["g", "o", "o", "d", "Ġf", "i", "l", "m"]
    expected = reference(tensors, ids, exact_gelu, 1e-5, first_position=2).mean(0)
    inputs = {"token_ids": ids[None], "padding_mask": np.ones_like(ids)[None]}
    np.testing.assert_allclose(np.asarray(features_before_the_head(model)(inputs))[0], expected, atol=1e-5)


def test_first_token_pooling_needs_no_pooler(tmp_path):
    tensors = write_checkpoint(tmp_path, pooler=False)
    model = build_text_classifier(tmp_path, 2)
    assert block_names(model) == ["embeddings", "layer1", "layer2", "head"]
    inputs = token_inputs(model.tokenizer, TEXTS[:1])
    expected = reference(tensors, inputs["token_ids"][0], exact_gelu, 1e-12)[:1]
    np.testing.assert_allclose(np.asarray(features_before_the_head(model)(inputs)), expected, atol=1e-5)


def test_masked_tokens_are_ignored(checkpoint):
    model = build_text_classifier(checkpoint, 2, pooling="average")
    inputs = token_inputs(model.tokenizer)
    other = {**inputs, "token_ids": np.where(inputs["padding_mask"] == 1, inputs["token_ids"], 7)}
    np.testing.assert_allclose(np.asarray(model(other)), np.asarray(model(inputs)), atol=1e-6)


@pytest.mark.parametrize("weights", [None, "none"])
def test_none_initializes_randomly_with_the_real_tokenizer(checkpoint, weights):
    model = build_text_classifier(checkpoint, 2, weights=weights)
    pretrained = build_text_classifier(checkpoint, 2)
    embeddings = np.asarray(model.get_layer("embeddings.token_embedding").embeddings)
    assert 0.01 < embeddings.std() < 0.03
    assert np.asarray(pretrained.get_layer("embeddings.token_embedding").embeddings).std() > 0.4
    assert model.tokenizer.fingerprint == pretrained.tokenizer.fingerprint
    assert model.get_layer("layer1.encoder").activation is keras.activations.gelu


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_weights_are_loaded_from_a_file(checkpoint, tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    first = build_text_classifier(checkpoint, 2, weights=None, class_names=["a", "b"])
    save_model(first, path) if suffix == ".keras" else first.save_weights(path)
    second = build_text_classifier(checkpoint, 2, weights=str(path), class_names=["a", "b"])
    assert not second.weights_report.missing and not second.weights_report.unexpected
    inputs = token_inputs(second.tokenizer)
    np.testing.assert_array_equal(np.asarray(second(inputs)), np.asarray(first(inputs)))


def test_the_head_equals_that_of_image_classifiers(checkpoint):
    model = build_text_classifier(checkpoint, 4, hidden_units=5, multi_label=True, class_names="abcd")
    head = [layer.name for layer in model.layers if layer.name.startswith("head.")]
    assert head == ["head.dropout", "head.hidden", "head.logits", "head.probabilities"]
    assert model.get_layer("head.probabilities").activation is keras.activations.sigmoid
    assert model.class_names == ("a", "b", "c", "d")
    assert build_text_classifier(checkpoint, 2, output="logits", dropout=0).layers[-1].name == "head.logits"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_classes": 1}, "num_classes is 1"),
        ({"pooling": "mean"}, "model.pooling 'mean'.*average"),
        ({"backbone": "bert_tiny_en_uncase"}, "did you mean 'bert_tiny_en_uncased'"),
        ({"head_blocks": []}, "model.head_blocks is .*expected last, all, or a list"),
        ({"head_blocks": ["layer3"]}, "model.head_blocks 'layer3': did you mean 'layer2'"),
        ({"weights": "imagenet"}, "No weights at 'imagenet'"),
        ({"weights_sha256": "00"}, "--model.weights PATH"),
    ],
)
def test_wrong_arguments_are_refused(checkpoint, options, message):
    with pytest.raises(InputError, match=message):
        build_text_classifier(**{"backbone": checkpoint, "num_classes": 2, **options})


def test_the_head_stays_float32_under_mixed_precision(checkpoint):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_text_classifier(checkpoint, 2, pooling="average")
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("layer1.encoder").compute_dtype == "bfloat16"
    inputs = token_inputs(model.tokenizer)
    assert features_before_the_head(model)(inputs).dtype == "float32"
    assert model(inputs).dtype == "float32"
    expected = np.asarray(build_text_classifier(checkpoint, 2, pooling="average")(inputs))
    assert np.asarray(model(inputs)).shape == expected.shape


def test_only_unfrozen_blocks_change_under_xla(checkpoint):
    model = build_text_classifier(checkpoint, 2)
    freeze_to(model, "layer2")
    before = [np.array(variable) for variable in model.weights]
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", jit_compile=True)
    model.fit(token_inputs(model.tokenizer), np.array([0, 1, 0]), verbose=0)
    moved = [not np.array_equal(old, new) for old, new in zip(before, model.weights, strict=True)]
    blocks = [layer.name.split(".")[0] for layer in model.layers for _ in layer.weights]
    assert {block for block, has_moved in zip(blocks, moved, strict=True) if has_moved} == {"layer2", "pooler", "head"}


def test_wrong_arguments_are_refused_without_kerashub(monkeypatch):
    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", None)
    with pytest.raises(InputError, match="model.dropout"):
        build_text_classifier("bert_base_en", 2, dropout=2)
