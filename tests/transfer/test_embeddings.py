import keras
import numpy as np
import pytest

from tests.models.tiny_encoders import save_preset
from tl_keras.errors import InputError
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input
from tl_keras.transfer.embeddings import embedding_model


@pytest.fixture
def network():
    inputs = keras.Input((4, 4, 3))
    outputs = keras.layers.Conv2D(5, 3, padding="same", name="block1.conv")(inputs)
    outputs = keras.layers.Conv2D(6, 3, padding="same", name="block2.conv")(outputs)
    outputs = keras.layers.GlobalMaxPooling2D(name="head.pool")(outputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="head.logits")(outputs))


def test_the_map_of_a_block_is_averaged(network):
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    maps = network.get_layer("block1.conv")(images)
    np.testing.assert_allclose(embedding_model(network, "block1")(images), np.mean(maps, (1, 2)), atol=1e-6)
    assert embedding_model(network, None, ("block2", "head")).output_shape == (None, 5)


def test_without_a_block_it_is_what_the_head_reads(network):
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    features = embedding_model(network)(images)
    np.testing.assert_allclose(network.get_layer("head.logits")(features), network(images), atol=1e-6)


@pytest.mark.parametrize("block", ["blok2", "head"])
def test_an_unknown_block_names_those_that_exist(network, block):
    with pytest.raises(InputError, match=f"Unknown block '{block}': .*Expected one of: block1, block2"):
        embedding_model(network, block)


def test_the_tokens_of_a_text_are_averaged_without_padding(tmp_path):
    keras.utils.set_random_seed(0)
    save_preset(tmp_path, "bert")
    model = with_text_input(build_text_classifier(tmp_path, 2), max_tokens=12)
    short, both = np.array(["a"], object), np.array(["a", "a b a b a b"], object)
    for block in (None, "layer1"):
        features = embedding_model(model, block)
        np.testing.assert_allclose(features.predict_on_batch(both)[:1], features.predict_on_batch(short), atol=1e-5)
