"""Models as one TensorFlow function from named numbers to named numbers, from which converters start."""

from dataclasses import dataclass

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from tl_keras.exporting.token_part import token_part
from tl_keras.models.texts.encoder_inputs import is_text_model

IMAGES, TEXT, PROBABILITIES = "images", "text", "probabilities"


@dataclass(frozen=True)
class TensorFunction:
    """Holds a function from named numbers to named numbers that computes what a model does."""

    function: tf.types.experimental.ConcreteFunction
    inputs: tuple[str, ...]
    """Names of the inputs, in their order: `images`; or `token_ids`, `padding_mask`, and for some `segment_ids`."""
    outputs: tuple[str, ...]
    """Names of the outputs, in their order: `probabilities`; or `boxes`, `labels` and `scores`."""

    def frozen(self):
        """Returns the same as a `ConcreteFunction` whose variables are constants."""
        # TensorFlow has no public name for it; its own converters use it.
        freeze = convert_to_constants.convert_variables_to_constants_v2
        return freeze(self.function, lower_control_flow=False, aggressive_inlining=True)


def tensor_function(model):
    """Traces what a model computes from numbers.

    Args:
        model: `keras.Model` of a run: from images to probabilities or to detections, or from strings to probabilities.

    Returns:
        `TensorFunction` from images, float32 (batch, side, side, 3), RGB, 0 to 255, or from token ids.
    """
    if is_text_model(model):
        model = token_part(model)
        specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in model.input.items()}
    else:
        specs = {IMAGES: tf.TensorSpec(model.input.shape, tf.float32, IMAGES)}

    def compute(**inputs):
        outputs = model(inputs if isinstance(model.input, dict) else inputs[IMAGES], training=False)
        return outputs if isinstance(outputs, dict) else {PROBABILITIES: outputs}

    function = tf.function(compute).get_concrete_function(**specs)
    # TensorFlow sorts the names of keyword arguments and of outputs.
    return TensorFunction(function, tuple(sorted(specs)), tuple(sorted(function.structured_outputs)))
