"""Checks that every backbone must pass, like the `run_backbone_test` of KerasHub.

A new image backbone is one entry of `BACKBONES`, a new text encoder one entry of `tiny_encoders.FAMILIES`.
"""

import keras
import numpy as np

from tl_keras.models.blocks import block_of
from tl_keras.models.saved.saving import open_model, save_model


def run_backbone_test(model, *, blocks, found, expected, atol):
    """Checks the names, the blocks and the outputs of a backbone.

    Args:
        model: functional `keras.Model` whose layers are named `BLOCK.LAYER`.
        blocks: list of the names of its blocks, input side first.
        found: outputs of the model.
        expected: outputs of the original network.
        atol: maximum absolute difference of the outputs.
    """
    layers = [layer for layer in model.layers if "." in layer.name or not isinstance(layer, keras.layers.InputLayer)]
    names = [layer.name for layer in layers]
    assert all(name.count(".") == 1 for name in names) and len(set(names)) == len(names)
    # A network whose layers cannot be copied stays one nested layer in the block `body`.
    assert "body" in blocks or not any(isinstance(layer, keras.Model) for layer in layers)
    assert list(dict.fromkeys(map(block_of, layers))) == blocks
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), atol=atol)


def check_saving(model, *, inputs, folder, reader=open_model, expected=None):
    """Saves a model and checks that the opened one computes the same, which is `expected` if given."""
    save_model(model, folder / "model.keras")
    opened = reader(folder / "model.keras")
    np.testing.assert_allclose(np.asarray(opened(inputs)), model(inputs) if expected is None else expected, atol=1e-6)


def check_blocks_pass_one_tensor(model):
    """Checks that each block passes at most one tensor to later blocks, where a cut is possible."""
    assert all(operation.name.count(".") == 1 for operation in model.operations)
    for block in {block_of(operation) for operation in model.operations}:
        leaving = {
            tensor.name
            for operation in model.operations
            for node in operation._inbound_nodes
            for tensor in node.input_tensors
            if block_of(tensor._keras_history.operation) == block != block_of(operation)
        }
        assert len(leaving) <= 1, block
