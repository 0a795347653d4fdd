"""AdaBN: batch normalization statistics of the target domain."""

import keras

from tl_keras.errors import InputError
from tl_keras.transfer import recalibrate_batch_norm

MIN_EXAMPLES = 16


def adapt_batch_norm(model, batches, steps=None):
    """Replaces the statistics of every BatchNormalization layer by those of target examples.

    Li et al. 2016 (https://arxiv.org/abs/1603.04779, algorithm 1), with the estimates of `recalibrate_batch_norm`. No
    weight changes.

    Args:
        model: built `keras.Model` with BatchNormalization layers, changed in place.
        batches: iterable of model inputs, or of tuples that start with them; not augmented.
        steps: number of batches to use, at least 1; None (default) uses all.

    Returns:
        Number of BatchNormalization layers, int.

    Raises:
        InputError: the model has no BatchNormalization layer, or there is no batch.
    """
    require_batch_norm(model, "adabn")
    return recalibrate_batch_norm(model, batches, steps)


def require_batch_norm(model, method):
    """Returns the BatchNormalization layers of a model, which a method of adaptation needs.

    Args:
        model: built `keras.Model`.
        method: name of the method, for the error message.

    Returns:
        List of `keras.layers.BatchNormalization`, including those nested in other layers and models.

    Raises:
        InputError: the model has no BatchNormalization layer.
    """
    norms = [part for part in model._flatten_layers() if isinstance(part, keras.layers.BatchNormalization)]
    if not norms:
        raise InputError(
            f"adaptation.method {method} needs batch normalization, which {model.name} does not have: use mcc or "
            "deep_coral, or a backbone with batch normalization, such as efficientnet_lite0."
        )
    return norms
