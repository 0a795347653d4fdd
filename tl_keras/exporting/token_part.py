"""The part of a text classifier that takes token ids, cut out of the model over strings."""

import keras

from tl_keras.errors import InputError
from tl_keras.models.texts.encoder_inputs import encoder_inputs


def token_part(model):
    """Builds the part of a text classifier behind its tokenizer.

    Args:
        model: `keras.Model` of `with_text_input`, over strings and with one window.

    Returns:
        `keras.Model` that shares its layers. In: `token_ids`, `padding_mask` and for some encoders `segment_ids`, int32
        (batch, tokens). Out: as the model.

    Raises:
        InputError: the part has other inputs, as that of a model with windows.
    """
    tensors = encoder_inputs(model)
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in tensors}
    try:
        outputs = keras.Function(list(tensors.values()), model.output).call(list(inputs.values()))
    # Keras raises it where the outputs need more than these tensors.
    except ValueError as error:
        raise InputError(
            "The tokenizer cannot be separated from this model: export it as savedmodel, which contains the tokenizer."
        ) from error
    return keras.Model(inputs, outputs, name=model.name)
