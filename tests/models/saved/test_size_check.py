import keras
import pytest
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.models.saved.size_check import MAX_ELEMENTS, SLACK_BYTES, check_built_sizes, check_declared_sizes


def config_of(*layers, shape=(8, 8, 3)):
    inputs = outputs = keras.Input(shape)
    for layer in layers:
        outputs = layer(outputs)
    return keras.saving.serialize_keras_object(keras.Model(inputs, outputs))


def test_declared_weights_must_be_in_the_file():
    config = config_of(keras.layers.Dense(1000), keras.layers.Dense(1000), shape=(1000,))
    check_declared_sizes(config, 2 * 1001 * 1000 * 4 - SLACK_BYTES)
    with pytest.raises(InputError, match="declares 8.0 MB of weights, but its file holds 7.0 MB"):
        check_declared_sizes(config, 2 * 1001 * 1000 * 4 - SLACK_BYTES - 1)


def test_no_record_of_variables_stays_in_this_thread(monkeypatch):
    filled, config, initialize = [], config_of_large(), keras.initializers.GlorotUniform.__call__

    def note(self, shape, dtype=None):
        filled.append(tf.executing_eagerly())
        return initialize(self, shape, dtype)

    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", note)
    with pytest.raises(InputError, match="declares"):
        check_declared_sizes(config, 0)
    # At the end of a scope, Keras initializes the variables that it recorded.
    with keras.StatelessScope():
        pass
    assert not any(filled)


def config_of_large():
    config = config_of(keras.layers.Dense(1))
    config["config"]["layers"][-1]["config"]["units"] = 10_000_000
    return config


def test_tensors_of_nested_models_are_checked():
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Resizing(512, 512), keras.layers.MaxPooling2D(512)])
    config = config_of(inner)
    check_declared_sizes(config, 0)
    for layer in config["config"]["layers"][-1]["config"]["layers"]:
        if layer["class_name"] == "Resizing":
            layer["config"] |= {"height": 16_000, "width": 16_000}
    with pytest.raises(InputError, match="computes a tensor of 768,000,000 numbers"):
        check_declared_sizes(config, 0)


@pytest.mark.parametrize(("key", "value"), [("units", 2**24 + 1), ("size", 1025), ("padding", [[0, 0], [0, 1025]])])
def test_settings_have_a_maximum(key, value):
    with pytest.raises(InputError, match=f"a setting of {2**24 + 1 if key == 'units' else 1025}"):
        check_declared_sizes({"module": "keras.layers", "config": {key: value}}, 0)


def test_seeds_have_no_maximum_and_own_layers_a_smaller_one():
    with pytest.raises(InputError, match="cannot be built"):
        check_declared_sizes({"seed": 10**9}, 0)
    with pytest.raises(InputError, match="a setting of 20000"):
        check_declared_sizes({"module": "tl_keras.models.x", "config": {"num_queries": 20_000}}, 0)


@pytest.mark.parametrize("value", [20_000, 2e4, float("inf"), float("nan")])
def test_settings_of_own_layers_have_a_maximum_as_fractions_too(value):
    with pytest.raises(InputError, match="beyond 16384"):
        check_declared_sizes({"module": "tl_keras.models.x", "config": {"image_size": value}}, 0)


def shapes(shape):
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": shape, "dtype": "float32"}}
    return [{"build_config": {"input_shape": [shape]}}, {"inbound_nodes": [{"args": [tensor]}]}]


@pytest.mark.parametrize("place", [0, 1], ids=["build_config", "tensor"])
def test_shapes_have_the_maximum_of_tensors(place):
    own = {"module": "tl_keras.models.x"}
    with pytest.raises(InputError, match="cannot be built"):
        check_declared_sizes(own | shapes([None, MAX_ELEMENTS // 4, 4])[place], 0)
    for shape in ([None, MAX_ELEMENTS // 4, 5], [None, 0, -MAX_ELEMENTS - 1], [2] * 1_000_000):
        with pytest.raises(InputError, match="computes a tensor of"):
            check_declared_sizes(own | shapes(shape)[place], 0)


def test_a_model_that_could_not_be_opened_again_is_refused_before_its_training():
    check_built_sizes(keras.Sequential([keras.Input((512, 512, 3)), keras.layers.Conv2D(64, 3)]))
    with pytest.raises(InputError, match="for each example, more than .* a smaller --data.image_size"):
        check_built_sizes(keras.Sequential([keras.Input((4096, 4096, 3)), keras.layers.Conv2D(64, 3)]))
    with pytest.raises(InputError, match="a setting of 2000, beyond 1024: give a smaller"):
        check_built_sizes(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.ZeroPadding2D(2000)]))


def test_an_unbuildable_configuration_is_a_one_line_error():
    config = config_of(keras.layers.Dense(1))
    config["config"]["layers"][-1]["config"]["units"] = "many"
    with pytest.raises(InputError, match="cannot be built") as error:
        check_declared_sizes(config, 0)
    assert "\n" not in str(error.value)
