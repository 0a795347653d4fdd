"""Builds a user's model from the first batch of `fit`; Keras itself builds it only inside its first train step."""

import keras

from tl_keras.errors import InputError


def build_at_first_step(model, start):
    """Replaces the train function of a model by one that first builds the model.

    Args:
        model: compiled `keras.Model` that is not built; `fit` has made its train function.
        start: function without arguments that is called once the model is built; it makes the real train function.
    """

    def build_and_step(iterator):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(iterator.element_spec)
        model(keras.tree.map_structure(_symbol, x))
        start()
        return model.train_function(iterator)

    model.train_function = build_and_step


def _symbol(spec):
    if spec.shape.rank is None:
        raise InputError(
            "The model is not built, and its data have no known shape: call the model on a batch before fit."
        )
    # The last batch of an epoch may be smaller than the first.
    return keras.KerasTensor((None, *spec.shape[1:]), spec.dtype.name)
