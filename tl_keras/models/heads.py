"""Heads of classifiers: the layers from the pooled features of a backbone to the probabilities."""

import keras

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.head_options import DEFAULT_DROPOUT, OUTPUTS


def check_head(num_classes, *, pooling, poolings, dropout, hidden_units, multi_label, output, class_names):
    """Checks the arguments of a classifier head.

    Args:
        num_classes: number of classes, at least 2, or at least 1 when `multi_label`.
        pooling: name of the pooling.
        poolings: the valid names.
        dropout: 0 to below 1.
        hidden_units: at least 1, or None.
        multi_label: True when an example may belong to several classes or to none.
        output: "probabilities" or "logits".
        class_names: sequence of `num_classes` names, or None.

    Raises:
        InputError: an argument is out of its range or unknown.
    """
    min_classes = 1 if multi_label else 2
    if num_classes < min_classes:
        raise InputError(f"num_classes is {num_classes}, expected at least {min_classes}: give data with more classes.")
    if pooling not in poolings:
        raise unknown_name("model.pooling", pooling, poolings)
    if output not in OUTPUTS:
        raise unknown_name("model.output", output, OUTPUTS)
    if not 0 <= dropout < 1:
        raise InputError(f"model.dropout is {dropout}, expected 0 to below 1, such as {DEFAULT_DROPOUT}.")
    if hidden_units is not None and hidden_units < 1:
        raise InputError(f"model.hidden_units is {hidden_units}, expected at least 1, or none for no hidden layer.")
    if class_names is not None and len(class_names) != num_classes:
        raise InputError(f"{len(class_names)} class names for {num_classes} classes: give one name per class.")


def add_head(features, num_classes, *, dropout, hidden_units, multi_label, output):
    """Adds the layers `head.dropout`, `head.hidden`, `head.logits` and the activation behind pooled features.

    Args:
        features: Keras tensor (batch, channels).
        num_classes: number of classes.
        dropout: share of the features that are dropped in training; 0 leaves the layer out.
        hidden_units: width of a ReLU layer before the last one; None leaves it out.
        multi_label: True for sigmoids instead of a softmax.
        output: "probabilities" or "logits".

    Returns:
        Keras tensor, float32 (batch, num_classes), also under a mixed precision policy.
    """
    outputs = features
    if dropout:
        outputs = keras.layers.Dropout(dropout, name="head.dropout")(outputs)
    if hidden_units:
        outputs = keras.layers.Dense(hidden_units, activation="relu", name="head.hidden")(outputs)
    outputs = keras.layers.Dense(num_classes, dtype="float32", name="head.logits")(outputs)
    if output == "probabilities":
        activation = "sigmoid" if multi_label else "softmax"
        outputs = keras.layers.Activation(activation, dtype="float32", name="head.probabilities")(outputs)
    return outputs
