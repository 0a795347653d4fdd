import keras
import numpy as np

from tl_keras.models.blocks import blocks_of, copy_with_block_names, creation_names


def small_network():
    """Builds two blocks: `block1` with a branch of unnamed layers, and `top`, which ends in a nested model."""
    image = keras.Input((8, 8, 3))
    outputs = keras.layers.Conv2D(4, 3, padding="same", name="small_block1_conv")(image)
    outputs = outputs + keras.layers.Conv2D(4, 1)(outputs) + keras.layers.Conv2D(4, 1)(outputs)
    outputs = keras.layers.BatchNormalization()(outputs)
    end = keras.layers.Activation("relu", name="small_block1")(outputs)
    nested = keras.Sequential([keras.layers.Conv2D(2, 1), keras.layers.Conv2D(2, 3, name="last")], name="nested")
    return keras.Model(image, nested(end), name="small"), end


def small_copy():
    network, end = small_network()
    image = keras.Input((8, 8, 3), name="preprocessing.image")
    front = keras.Model(image, keras.layers.Rescaling(2.0)(keras.ops.flip(image, axis=-1)))
    blocks = blocks_of(network, [("block1", end), ("top", network.output)])
    return network, copy_with_block_names(network, blocks, front, name="copy")


def test_layers_and_operations_are_named_by_block():
    _, copy = small_copy()
    assert [operation.name for operation in copy.operations] == [
        "preprocessing.image",
        "preprocessing.flip",
        "preprocessing.rescaling",
        "block1.conv",
        "block1.conv2d",
        "block1.add",
        "block1.conv2d_1",
        "block1.add_1",
        "block1.batch_normalization",
        "block1.activation",
        "top.conv2d",
        "top.last",
    ]


def test_names_do_not_depend_on_earlier_networks():
    names = [[operation.name for operation in small_copy()[1].operations] for _ in range(2)]
    assert names[0] == names[1]


def test_creation_names_are_numbered_within_the_network():
    small_network()
    network, _ = small_network()
    assert {"conv2d", "conv2d_1", "add", "add_1", "batch_normalization"} <= set(creation_names(network))


def test_the_copy_has_its_own_variables_and_equal_outputs():
    network, copy = small_copy()
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    expected = np.asarray(network(2 * images[..., ::-1]))
    np.testing.assert_allclose(np.asarray(copy(images)), expected, atol=1e-6)
    for variable in copy.weights:
        variable.assign(variable + 1.0)
    np.testing.assert_array_equal(np.asarray(network(2 * images[..., ::-1])), expected)
