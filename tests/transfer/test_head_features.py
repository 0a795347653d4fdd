import keras
import numpy as np
import pytest
from keras import layers

from tl_keras.errors import InputError
from tl_keras.transfer import features_before_head


def test_features_are_the_input_of_the_head_before_its_dropout():
    inputs = layers.Input((3,))
    hidden = layers.Dense(4, name="block1.dense")(inputs)
    dropped = layers.Dropout(0.5, name="head.dropout")(hidden)
    model = keras.Model(inputs, layers.Dense(2, name="head.logits")(dropped))
    features = keras.Model(inputs, features_before_head(model))(np.ones((1, 3)), training=True)
    np.testing.assert_allclose(features, keras.Model(inputs, hidden)(np.ones((1, 3))))


def test_features_of_a_model_with_only_a_head_are_its_input():
    inputs = layers.Input((3,))
    model = keras.Model(inputs, layers.Dense(2, name="head.logits")(inputs))
    assert features_before_head(model) is model.input


def test_a_head_over_feature_maps_is_refused():
    inputs = layers.Input((4, 4, 3))
    outputs = layers.Conv2D(2, 1, name="head.conv")(layers.Conv2D(2, 1, name="block1.conv")(inputs))
    with pytest.raises(InputError, match=r"takes \(None, 4, 4, 2\): expected a single vector"):
        features_before_head(keras.Model(inputs, outputs))
