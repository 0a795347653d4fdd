import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.distribution.several_steps import execute_several_steps
from tl_keras.distribution.sharded_model import shard_steps
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.transfer import ProgressiveUnfreezing, StagedAdamW


@pytest.mark.parametrize("change", [execute_several_steps, shard_steps])
def test_several_steps_per_execution_use_the_rate_of_each_step(change):
    generator = np.random.default_rng(0)
    batches = tf.data.Dataset.from_tensor_slices(
        (generator.normal(size=(9, 4)).astype("float32"), np.eye(3, dtype="float32")[generator.integers(0, 3, 9)])
    ).batch(3)
    results = []
    for steps_per_execution in (1, 2):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="head")])
        model.compile(StagedAdamW(), "categorical_crossentropy", metrics=["accuracy"])
        change(model, steps_per_execution)
        unfreezing = ProgressiveUnfreezing([Phase("head", epochs=2, learning_rate=0.1, warmup=0.5)])
        # An epoch of three steps takes two executions, and the validation data end during the second one.
        history = model.fit(
            batches.repeat(),
            steps_per_epoch=3,
            epochs=2,
            validation_data=batches,
            validation_steps=3,
            callbacks=[unfreezing],
            verbose=0,
        ).history
        assert model.optimizer.iterations == 6
        assert model.train_function.experimental_get_tracing_count() == 1
        results.append((model.get_weights(), history))
    for one, other in zip(*(weights for weights, _ in results), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for name, values in results[0][1].items():
        np.testing.assert_allclose(results[1][1][name], values, atol=1e-6, err_msg=name)


def test_an_unsupported_keras_version_is_refused(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "3.16.0")
    with pytest.raises(InputError, match="Keras 3.16.0 is installed"):
        shard_steps(keras.Sequential([keras.layers.Dense(1)]))
