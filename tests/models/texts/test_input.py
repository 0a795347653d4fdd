import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from tests.models.tiny_encoders import FAMILIES, SPECIAL, TEXTS, WORDS, save_preset, token_inputs, write_checkpoint
from tl_keras.data.texts.cleaning import prepare_text
from tl_keras.data.tokens.batching import token_batches
from tl_keras.data.tokens.format import TokenFormat, arrange_tokens
from tl_keras.data.tokens.tokenizing import tokenize
from tl_keras.errors import InputError
from tl_keras.models.saved.saving import save_model
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input
from tl_keras.models.texts.tokenizers import TextTokenizer
from tl_keras.models.texts.window_averages import average_windows, logits_part

LONG = ["good " * 9 + "fun", "bad film " * 3, "", "a", "the very dull film , a bad bad film !"]
SECOND = ["dull " * 8, "a", "good good", "", "the fun film"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return build_text_classifier(folder, 3, pooling="average", class_names=["x", "y", "z"])


def rows_of(model, texts, *, second=None, **options):
    """Returns the inputs of the classifier as a list of (ids, segments) without padding."""
    text_model = with_text_input(model, pair=second is not None, **options)
    # The layers belong to several graphs; the last one is that of the text model.
    names = ["embeddings.token_embedding", "embeddings.segment_embedding", "layer1.encoder"]
    inner = [text_model.get_layer(name)._inbound_nodes[-1].input_tensors[-1] for name in names]
    outer = keras.Model(text_model.input, inner)
    inputs = tf.constant(texts) if second is None else {"text": tf.constant(texts), "text_pair": tf.constant(second)}
    arrays = [np.asarray(array) for array in outer(inputs)]
    rows = [(ids[mask == 1], segments[mask == 1]) for ids, segments, mask in zip(*arrays, strict=True)]
    assert arrays[0].shape[1] == max(len(ids) for ids, _ in rows)
    return rows


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
@pytest.mark.parametrize("pair", [False, True])
def test_rows_equal_those_of_training(model, truncation, pair):
    tokenizer = model.tokenizer
    token_format = TokenFormat(
        start_ids=tokenizer.start_ids,
        separator_ids=tokenizer.separator_ids,
        end_ids=tokenizer.end_ids,
        has_segments=True,
        max_tokens=9,
        truncation=truncation,
    )
    second = SECOND if pair else None
    encoded = tokenizer.encode(SECOND) if pair else None
    tokens, lengths, segments, _ = arrange_tokens(tokenizer.encode(LONG), encoded, token_format)
    stops = np.cumsum(lengths)[:-1]
    expected = list(zip(np.split(tokens, stops), np.split(segments, stops), strict=True))
    rows = rows_of(model, LONG, second=second, max_tokens=9, truncation=truncation)
    for (ids, kinds), (expected_ids, expected_kinds) in zip(rows, expected, strict=True):
        assert ids.tolist() == expected_ids.tolist()
        assert kinds.tolist() == expected_kinds.tolist()


# Tracing the byte pair tokenizer of a RoBERTa takes several seconds each time.
@pytest.mark.parametrize(
    "family", [pytest.param(family, marks=pytest.mark.slow if family == "roberta" else ()) for family in FAMILIES]
)
def test_strings_and_their_tokens_have_equal_outputs_in_every_family(tmp_path, family):
    save_preset(tmp_path, family)
    model = build_text_classifier(tmp_path, 2)
    expected = np.asarray(model(token_inputs(model.tokenizer)))
    text_model = with_text_input(model)
    save_model(text_model, tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(text_model(tf.constant(TEXTS))), expected, atol=1e-6)
    opened = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(opened.predict(tf.constant(TEXTS), verbose=0), expected, atol=1e-6)


PREDICT = """
import sys
sys.modules["tl_keras"] = None  # as if it were not installed
import keras
import keras_hub
import numpy as np
model = keras.models.load_model("model.keras")
texts = np.array(["good film", "the caf\\u00e9", ""], dtype=object)
np.save("outputs.npy", model.predict(texts, verbose=0))
"""


@pytest.mark.slow
def test_a_saved_model_accepts_strings_without_this_project(model, tmp_path):
    save_model(with_text_input(model, max_tokens=8), tmp_path / "model.keras")
    subprocess.run([sys.executable, "-c", PREDICT], cwd=tmp_path, check=True)
    expected = np.asarray(model(token_inputs(model.tokenizer, ["good film", "the cafe", ""])))
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), expected, atol=1e-6)


def test_layers_keep_their_names_and_weights(model):
    text_model = with_text_input(model)
    assert text_model.class_names == ("x", "y", "z")
    assert [layer.name for layer in text_model.layers if layer.weights] == [
        layer.name for layer in model.layers if layer.weights
    ]
    assert text_model.get_layer("layer1.encoder") is model.get_layer("layer1.encoder")


def test_logits_of_windows_are_averaged(model):
    logits = keras.Model(model.input, model.get_layer("head.logits").output)
    texts = ["good bad dull fun film", "good", "", "a " * 20]
    windows = [["good bad", "dull fun", "film"], ["good"], [""], ["a a"] * 3]
    expected = np.array([np.asarray(logits(token_inputs(model.tokenizer, parts))).mean(0) for parts in windows])
    text_model = with_text_input(model, max_tokens=4, windows=3)
    outputs = np.asarray(text_model(tf.constant(texts)))
    np.testing.assert_allclose(outputs, np.asarray(keras.ops.softmax(expected)), atol=1e-5)


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
def test_windows_equal_those_of_token_sets(model, truncation):
    tokenizer = model.tokenizer
    token_format = TokenFormat(
        start_ids=tokenizer.start_ids,
        end_ids=tokenizer.end_ids,
        has_segments=True,
        max_tokens=5,
        truncation=truncation,
        windows=3,
    )
    texts = [*LONG, "film " * 3, "a\u00a0very good film ! " * 4_000]
    windows = tokenize(texts, tokenizer.encode, token_format).windows
    to_logits = logits_part(model)
    logits = np.zeros((len(windows), 3), "float32")
    for rows, inputs in token_batches(windows, 4):
        logits[rows] = to_logits.predict_on_batch(inputs)
    text_model = with_text_input(model, max_tokens=5, truncation=truncation, windows=3)
    prepared = [prepare_text(text, 15, truncation) for text in texts]
    outputs = text_model.predict(tf.constant(prepared), batch_size=3, verbose=0)
    np.testing.assert_allclose(outputs, average_windows(model, logits, windows.owners), atol=1e-5)


NASTY = [
    "good\u00a0film",
    "go\u200bod\u2003fi\u200dlm\ufeff",
    "\ufeffthe\u3000very\u2028dull\x85film\r\n!",
    "go\u00adod \u202efilm\u202c \u2060fun",
    "ba\0d\x07 \x7ffilm\x0bdull\udc80",
    "\u200b\u200b",
    "very dull\u00a0" * 3_000,
]


@pytest.mark.parametrize(
    "family", [pytest.param(family, marks=pytest.mark.slow if family == "roberta" else ()) for family in FAMILIES]
)
def test_cleaned_adversarial_strings_have_the_ids_of_training(tmp_path, family):
    save_preset(tmp_path, family)
    model = build_text_classifier(tmp_path, 2)
    tokenizer = model.tokenizer
    token_format = TokenFormat(
        start_ids=tokenizer.start_ids, end_ids=tokenizer.end_ids, max_tokens=12, truncation="tail"
    )
    token_set = tokenize(NASTY, tokenizer.encode, token_format)
    expected = [ids.tolist() for ids in np.split(token_set.tokens, token_set.offsets[1:-1])]
    text_model = with_text_input(model, max_tokens=12, truncation="tail")
    # The only layer that takes token ids; its name differs by family.
    layer = next(layer for layer in model.layers if layer.name.startswith("embeddings.token"))
    inner = layer._inbound_nodes[-1].input_tensors[0]
    prepared = tf.constant([prepare_text(text, 12, "tail") for text in NASTY])
    rows = np.asarray(keras.Model(text_model.input, inner)(prepared))
    for ids, row in zip(expected, rows.tolist(), strict=True):
        # The tiny vocabulary of the RoBERTa lacks bytes of a real one: texts with them cannot be compared.
        assert -1 in ids or row == ids + [tokenizer.pad_id] * (len(row) - len(ids))


def test_windows_of_a_model_that_ends_in_logits(tmp_path):
    write_checkpoint(tmp_path)
    model = build_text_classifier(tmp_path, 2, output="logits")
    outputs = with_text_input(model, windows=2, truncation="tail")(tf.constant(["good", "bad"]))
    np.testing.assert_allclose(
        np.asarray(outputs), np.asarray(model(token_inputs(model.tokenizer, ["good", "bad"]))), atol=1e-5
    )


def test_a_text_of_megabytes_is_supported(model):
    text_model = with_text_input(model, max_tokens=8, truncation="tail")
    outputs = text_model.predict(tf.constant(["bad " * 1_000_000, "dull \x01 \n film"]), verbose=0)
    expected = np.asarray(model(token_inputs(model.tokenizer, ["bad " * 6, "dull film"])))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"truncation": "heads"}, "did you mean 'head'"),
        ({"max_tokens": 3}, "text.max_tokens is 3, expected 4 to 40"),
        ({"max_tokens": 41}, "expected 4 to 40"),
        ({"windows": 0}, "text.windows is 0"),
        ({"windows": 2, "pair": True}, "1 for pairs"),
    ],
)
def test_wrong_arguments_are_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        with_text_input(model, **options)


def test_padding_with_the_id_of_a_word_is_refused(model):
    layer = keras_hub.tokenizers.BertTokenizer(["film", *SPECIAL, *WORDS[:2]])
    tokenizer = TextTokenizer(layer, class_name="BertBackbone", max_tokens=40)
    with pytest.raises(InputError, match="token 0 is the padding"):
        with_text_input(model, tokenizer)
    assert model.tokenizer.padding_ids == [model.tokenizer.pad_id]
