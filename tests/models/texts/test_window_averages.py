import keras
import numpy as np
import pytest
from keras import ops

from tests.models.tiny_encoders import token_inputs, write_checkpoint
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.window_averages import average_windows, logits_part


@pytest.mark.parametrize(
    ("options", "last"),
    [({}, ops.softmax), ({"multi_label": True}, ops.sigmoid), ({"output": "logits"}, ops.copy)],
)
def test_the_logits_of_each_text_are_averaged(tmp_path, options, last):
    write_checkpoint(tmp_path)
    model = build_text_classifier(tmp_path, 3, **options)
    inputs = token_inputs(model.tokenizer)
    logits = logits_part(model).predict_on_batch(inputs)
    np.testing.assert_allclose(last(logits), model(inputs), atol=1e-6)
    averaged = average_windows(model, logits, np.array([0, 0, 1]))
    np.testing.assert_allclose(averaged, last(np.stack([logits[:2].mean(axis=0), logits[2]])), atol=1e-6)


def test_large_logits_do_not_saturate():
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(2, name="head.logits")(inputs)
    model = keras.Model(inputs, keras.layers.Activation("sigmoid", name="head.probabilities")(outputs))
    logits = np.array([[200.0, -200.0], [-199.0, 200.0]], "float32")
    np.testing.assert_allclose(average_windows(model, logits, np.zeros(2, int)), [[0.622459, 0.5]], atol=1e-5)
