import keras
import numpy as np
import pytest

from tl_keras.transfer.activations.packing import describe_cut, pack, packed_tensors, unpack


@pytest.fixture
def tensors():
    """Returns a map of 2 x 3 cells with 4 channels and two pooled vectors of it."""
    image = keras.Input((2, 3, 4), name="image")
    features = keras.layers.ReLU(name="block1.relu")(image)
    pools = (keras.layers.GlobalAveragePooling2D(name="head.mean"), keras.layers.GlobalMaxPooling2D(name="head.max"))
    return image, [features, *(pool(features) for pool in pools)]


def test_packed_values_are_the_map_and_then_the_vectors_and_are_split_again(tensors):
    image, parts = tensors
    packed = pack(parts)
    assert packed.shape == (None, 24 + 4 + 4) and packed.dtype == "float32"
    images = np.random.default_rng(0).uniform(size=(5, 2, 3, 4)).astype("float32")
    values = keras.Model(image, packed)(images)
    expected = [images.reshape(5, -1), images.mean((1, 2)), images.max((1, 2))]
    np.testing.assert_allclose(values, np.concatenate(expected, axis=1), atol=1e-6)
    inputs = keras.Input((32,))
    for split, whole in zip(keras.Model(inputs, unpack(inputs, parts))(values), parts, strict=True):
        np.testing.assert_array_equal(split, keras.Model(image, whole)(images))


def test_the_tensors_of_a_cut_are_found_in_the_cut(tensors):
    _, parts = tensors
    assert all(found is tensor for found, tensor in zip(packed_tensors(pack(parts)), parts, strict=True))
    assert packed_tensors(parts[0]) == [parts[0]] and pack(parts[:1]) is parts[0]


def test_a_cut_is_described_by_its_first_tensor(tensors):
    _, parts = tensors
    descriptions = [describe_cut(pack(parts[:count])) for count in (1, 2, 3)]
    ends = ["", " and 1 pooled vector", " and 2 pooled vectors"]
    assert descriptions == [f"block1.relu{end}" for end in ends]
