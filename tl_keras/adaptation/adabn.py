"""AdaBN: the statistics of batch normalization, taken from the target."""

import keras

from tl_keras.errors import InputError
from tl_keras.transfer import recalibrate_batch_norm

MIN_EXAMPLES = 16


def adapt_batch_norm(model, batches, steps=None):
    """Replaces the statistics of every BatchNormalization layer by those of target examples; no weight learns.

    Li et al. 2016 (https://arxiv.org/abs/1603.04779, algorithm 1). How they are estimated: `recalibrate_batch_norm`.

    Args:
        model: built `keras.Model` with BatchNormalization layers. It is changed.
        batches: iterable of what the model takes, or of tuples that begin with it; not augmented.
        steps: number of batches to take; None takes all.

    Returns:
        Number of layers.

    Raises:
        InputError: the model has no such layer, or there is no batch.
    """
    require_batch_norm(model, "adabn")
    return recalibrate_batch_norm(model, batches, steps)


def require_batch_norm(model, method):
    """Refuses a model that has nothing which a method could adapt.

    Args:
        model: built `keras.Model`.
        method: name of the method.

    Returns:
        List of its BatchNormalization layers, in other layers and models too.

    Raises:
        InputError: there is none.
    """
    norms = [part for part in model._flatten_layers() if isinstance(part, keras.layers.BatchNormalization)]
    if not norms:
        raise InputError(
            f"adaptation.method {method} adapts batch normalization, of which {model.name} has none: take mcc or "
            "deep_coral, or a backbone with it, such as efficientnet_lite0."
        )
    return norms
