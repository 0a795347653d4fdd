import keras

from tl_keras.models.graph import ordered_nodes


def test_a_layer_that_is_called_twice_has_two_nodes_in_the_order_of_their_inputs():
    dense = keras.layers.Dense(2, name="twice")
    inputs = keras.Input((2,), name="input")
    model = keras.Model(inputs, keras.layers.ReLU(name="last")(dense(dense(inputs))))
    nodes = ordered_nodes(model)
    assert [node.operation.name for node in nodes] == ["input", "twice", "twice", "last"]
    assert nodes[2].input_tensors == nodes[1].output_tensors
