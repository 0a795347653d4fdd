import numpy as np
import pytest
import tensorflow as tf

from tests.adaptation.domains import classifier, images
from tl_keras.adaptation import adapt_batch_norm, minimize_entropy
from tl_keras.errors import InputError

TARGET = images(32, 3, shift=2.0)


def test_the_statistics_become_those_of_the_target():
    model = classifier()
    weights = [np.asarray(weight) for weight in model.trainable_variables]
    assert adapt_batch_norm(model, [TARGET[:16], TARGET[16:]]) == 1
    norm, conv = model.get_layer("block1.norm"), model.get_layer("block1.conv")
    maps = conv(TARGET).numpy()
    np.testing.assert_allclose(norm.moving_mean, maps.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, maps.var(axis=(0, 1, 2)), rtol=1e-4)
    assert all(np.array_equal(old, new) for old, new in zip(weights, model.trainable_variables, strict=True))


@pytest.mark.parametrize("method", ["adabn", "tent"])
def test_a_model_without_batch_normalization_is_refused(method):
    model, batches = classifier(norm=False), tf.data.Dataset.from_tensors(TARGET)
    with pytest.raises(
        InputError, match=f"adaptation.method {method} needs batch normalization, which .* does not have"
    ):
        adapt_batch_norm(model, batches) if method == "adabn" else minimize_entropy(model, batches, 1)
