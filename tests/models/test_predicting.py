import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.models.predicting import computing, predict_arrays, predict_untraced


@pytest.mark.parametrize("count", [1, 5])
def test_predictions_are_those_of_keras_without_its_data_pipeline(count, monkeypatch):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, {"a": keras.layers.Dense(2)(inputs), "b": keras.layers.Dense(1)(inputs)})
    values = np.random.default_rng(0).normal(size=(count, 3)).astype("float32")
    expected = model.predict(values, batch_size=2, verbose=0)
    monkeypatch.setattr(keras.Model, "predict", lambda *_, **__: pytest.fail("a data pipeline was built"))
    found = predict_arrays(model, values, 2)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_few_images_are_predicted_without_tracing(monkeypatch):
    inputs = keras.Input((3,))
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    values = np.random.default_rng(0).integers(0, 255, (5, 3), "uint8")
    expected = model.predict(values, verbose=0)
    monkeypatch.setattr(keras.Model, "predict_on_batch", lambda *_: pytest.fail("the network was traced"))
    np.testing.assert_allclose(predict_untraced(model, values), expected, rtol=1e-5)


def test_what_a_layer_raises_is_one_sentence():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.ops.reshape(inputs, (-1, 2, 2)))
    model.operations[-1].newshape = (-1, 2, None)
    with pytest.raises(InputError, match=r"cannot be computed .*Reshape.call.*: it is damaged"), computing():
        predict_arrays(model, np.zeros((1, 4), "float32"), 1)


@pytest.mark.parametrize(
    "error",
    [ValueError("a mistake of ours"), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")],
)
def test_other_errors_stay(error):
    with pytest.raises(type(error)) as raised, computing():
        raise error
    assert raised.value is error
