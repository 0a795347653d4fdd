import keras
import pytest

import tl_keras as tl
from tl_keras.transfer.multiply_adds import count_multiply_adds


def test_every_kernel_counts_once_per_position():
    inputs = keras.Input((8, 8, 3))
    hidden = keras.layers.Conv2D(4, 3, strides=2, padding="same")(inputs)  # 4 x 4 positions
    hidden = keras.layers.DepthwiseConv2D(3, padding="same")(hidden)
    hidden = keras.layers.BatchNormalization()(hidden)
    outputs = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(hidden))
    expected = 16 * 3 * 3 * 3 * 4 + 16 * 3 * 3 * 4 + 4 * 5
    assert count_multiply_adds(keras.Model(inputs, outputs)) == expected


def test_a_layer_that_is_called_twice_counts_twice():
    inputs, layer = keras.Input((6,)), keras.layers.Dense(6)
    assert count_multiply_adds(keras.Model(inputs, layer(layer(inputs)))) == 2 * 36


def test_embedding_lookups_do_not_count():
    inputs = keras.Input((None,), dtype="int32")
    outputs = keras.layers.Dense(2)(keras.layers.Embedding(1000, 8)(inputs))
    assert count_multiply_adds(keras.Model(inputs, outputs)) == 16


def test_vgg16_has_the_multiply_adds_of_its_paper():
    model = tl.build_image_classifier("vgg16", 2, weights=None, image_size=224)
    assert count_multiply_adds(model) == pytest.approx(15.3e9, rel=0.01)
