"""Averages of the logits of a long text's windows."""

import keras
import numpy as np


def logits_part(model):
    """Builds the part of a text classifier up to its logits.

    Args:
        model: `keras.Model` from `build_text_classifier`; its layers are shared.

    Returns:
        `keras.Model` with the same inputs. Out: float32 (batch, num_classes).
    """
    return keras.Model(model.input, model.get_layer("head.logits").output)


def average_windows(model, logits, owners):
    """Averages the logits of the windows of each text like a model of `with_text_input`.

    Args:
        model: the classifier, `keras.Model`.
        logits: float32 (windows, num_classes), those of all windows.
        owners: int64 (windows,), index of the text of each window, ascending from 0 without gaps.

    Returns:
        float32 (texts, num_classes), the outputs of the classifier: probabilities or logits.
    """
    mean = mean_of_windows(logits, owners)
    names = {layer.name for layer in model.layers}
    return np.asarray(model.get_layer("head.probabilities")(mean)) if "head.probabilities" in names else mean


def mean_of_windows(values, owners):
    """Averages a value of each window over the windows of each text.

    Args:
        values: float32 (windows, width).
        owners: int64 (windows,), index of the text of each window, ascending from 0 without gaps.

    Returns:
        float32 (texts, width).
    """
    counts = np.bincount(owners)
    starts = np.cumsum(counts) - counts
    return np.add.reduceat(values, starts, axis=0) / counts[:, None].astype("float32")
