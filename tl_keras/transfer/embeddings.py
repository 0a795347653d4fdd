"""Features of examples at any block of a finished model, one vector for each."""

import keras

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.head_blocks import block_tensors
from tl_keras.models.texts.encoder_inputs import PADDING_MASK, encoder_inputs, is_text_model
from tl_keras.transfer.head_features import features_before_head

CLASSIFIER_HEAD = ("head",)


def embedding_model(model, block=None, new_blocks=CLASSIFIER_HEAD):
    """Builds the part of a model up to a block, and averages what the block returns.

    Args:
        model: functional `keras.Model` with layers named `BLOCK.LAYER`, also a saved and opened one.
        block: name of a block before the head; None takes what the head of a classifier reads, or the last block of the
            backbone of a detector.
        new_blocks: names of the blocks that are no part of the backbone.

    Returns:
        `keras.Model` that shares its layers. In: as the model. Out: float32 (rows, channels), the mean over the
        positions of a feature map or over the tokens of a row without padding.

    Raises:
        InputError: the block is unknown or returns several tensors.
    """
    if block is None and tuple(new_blocks) == CLASSIFIER_HEAD:
        return keras.Model(model.input, _average(model, features_before_head(model)))
    outputs = {
        name: tensors[0]
        for name, tensors in block_tensors(model).items()
        if name not in new_blocks and len(tensors) == 1
    }
    if not outputs:
        raise InputError(f"The model {model.name!r} has no blocks of tl_keras to take features from.")
    if block is not None and block not in outputs:
        raise unknown_name("block", block, outputs)
    return keras.Model(model.input, _average(model, outputs[block or list(outputs)[-1]]))


def _average(model, features):
    """Adds the mean over positions or tokens, as a layer whose name no saved model has."""
    options = {"dtype": "float32", "name": "embedding.average"}
    if len(features.shape) == 2:
        return keras.layers.Activation("linear", **options)(features)
    if len(features.shape) == 4:
        return keras.layers.GlobalAveragePooling2D(**options)(features)
    mask = encoder_inputs(model)[PADDING_MASK] if is_text_model(model) else None
    return keras.layers.GlobalAveragePooling1D(**options)(features, mask=mask)
