import keras
import numpy as np
from keras import layers

from tl_keras.explanation.graph_split import split_at


def test_both_parts_together_compute_what_the_model_computes():
    inputs = keras.Input((4,))
    side = layers.Dense(3, name="side")(inputs)
    middle = layers.Dense(3, name="middle")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(layers.Add()([side, layers.ReLU()(middle)])))
    front, back = split_at(model, middle, model.output)
    values = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    tensors = front(values)
    assert len(tensors) == 2
    np.testing.assert_allclose(tensors[0], model.get_layer("middle")(values), rtol=1e-6)
    np.testing.assert_allclose(back(tensors), model(values), rtol=1e-6)
