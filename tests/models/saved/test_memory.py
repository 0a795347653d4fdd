import keras
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved import memory
from tl_keras.models.saved.memory import affordable_batch, memory_bytes, tensor_sizes

IMAGE = keras.Input((8, 8, 3))
TOKENS = keras.Input((100, 4))


def model(outputs, inputs=IMAGE):
    return keras.Model(inputs, outputs)


def test_tensors_of_nested_models_are_listed():
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(50, 1), keras.layers.MaxPooling2D(8)])
    assert max(tensor_sizes(model(inner(IMAGE)))) == 8 * 8 * 50


@pytest.mark.parametrize(
    ("layer", "heads"),
    [(keras.layers.MultiHeadAttention(3, 2), 3), (keras.layers.GroupQueryAttention(2, 6, 3), 6)],
    ids=["multi-head", "group query"],
)
def test_the_scores_of_attention_are_listed(layer, heads):
    assert max(tensor_sizes(model(layer(TOKENS, TOKENS), TOKENS))) == heads * 100 * 100


def test_the_scores_inside_of_a_block_are_listed():
    keras_hub = pytest.importorskip("keras_hub")
    block = keras_hub.layers.TransformerEncoder(intermediate_dim=4, num_heads=2)
    assert max(tensor_sizes(model(block(TOKENS), TOKENS))) == 2 * 100 * 100


MORE = {
    "tile": lambda image: keras.ops.tile(image, (1000, 1, 1, 1)),
    "repeat": lambda image: keras.ops.repeat(image, 1000, axis=0),
    "repeat of all": lambda image: keras.ops.repeat(image, 1000),
    "concatenate": lambda image: keras.ops.concatenate([image] * 9, axis=0),
    "concatenate from the end": lambda image: keras.layers.Concatenate(axis=-4)([image] * 9),
    "stack": lambda image: keras.ops.stack([image] * 9, axis=0),
    "pad": lambda image: keras.ops.pad(image, ((0, 9), (0, 0), (0, 0), (0, 0))),
    "pad all": lambda image: keras.ops.pad(image, 9),
}


@pytest.mark.parametrize("name", MORE)
def test_operations_that_multiply_the_examples_are_refused(name):
    with pytest.raises(ValueError, match="multiplies the number of examples"):
        list(tensor_sizes(model(MORE[name](IMAGE))))


def test_operations_along_other_axes_pass():
    outputs = keras.ops.tile(IMAGE, (1, 2, 1, 1))
    outputs = keras.ops.repeat(outputs, 2, axis=1)
    outputs = keras.ops.pad(keras.ops.tile(outputs, (2, 1)), ((0, 0), (1, 1), (0, 0), (0, 0)))
    outputs = keras.ops.stack([keras.ops.concatenate([outputs, outputs], axis=2)] * 2, axis=1)
    assert max(tensor_sizes(model(outputs))) > 8 * 8 * 3


def test_the_batch_fits_into_half_of_the_memory(monkeypatch):
    one = 3 * 4 * 8 * 8 * 3
    for batches, expected in ((100, 32), (10, 10), (1, 1)):
        monkeypatch.setattr(memory, "memory_bytes", lambda batches=batches: 2 * one * batches)
        assert affordable_batch(model(keras.layers.Flatten()(IMAGE)), 32) == expected
    monkeypatch.setattr(memory, "memory_bytes", lambda: one)
    with pytest.raises(InputError, match="for one example, more than 50% of the memory"):
        affordable_batch(model(keras.layers.Flatten()(IMAGE)), 32)


def test_the_memory_is_at_most_the_limit_of_the_process(monkeypatch):
    assert memory_bytes() > 10**8
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10**8, 10**9))
    assert memory_bytes() == 10**8
