"""Heads of classifiers: the layers from the pooled features of a backbone to the probabilities."""

from dataclasses import dataclass

import keras

from tl_keras.errors import InputError, counted, unknown_name
from tl_keras.models.head_options import DEFAULT_DROPOUT, OUTPUTS


@dataclass(frozen=True)
class Head:
    """Describes the layers from the pooled features of a backbone to the outputs of a classifier.

    Args:
        num_classes: number of classes, at least 2, or at least 1 when `multi_label`.
        dropout: share of the features that are dropped in training, 0 to below 1; 0 leaves the layer out.
        hidden_units: width of a ReLU layer before the last one, at least 1; None leaves it out.
        multi_label: True when an example may belong to several classes or to none: sigmoids instead of a softmax.
        output: "probabilities" or "logits".

    Raises:
        InputError: an argument is out of its range or unknown.
    """

    num_classes: int
    dropout: float
    hidden_units: int | None
    multi_label: bool
    output: str

    def __post_init__(self):
        """Checks all values."""
        min_classes = 1 if self.multi_label else 2
        if self.num_classes < min_classes:
            raise InputError(
                f"num_classes is {self.num_classes}, expected at least {min_classes}: give data with more classes."
            )
        if self.output not in OUTPUTS:
            raise unknown_name("model.output", self.output, OUTPUTS)
        if not 0 <= self.dropout < 1:
            raise InputError(f"model.dropout is {self.dropout}, expected 0 to below 1, such as {DEFAULT_DROPOUT}.")
        if self.hidden_units is not None and self.hidden_units < 1:
            raise InputError(
                f"model.hidden_units is {self.hidden_units}, expected at least 1, or none for no hidden layer."
            )

    def add_to(self, features):
        """Adds the layers `head.dropout`, `head.hidden`, `head.logits` and the activation behind pooled features.

        Args:
            features: Keras tensor (batch, channels).

        Returns:
            Keras tensor, float32 (batch, num_classes), also under a mixed precision policy.
        """
        outputs = features
        if self.dropout:
            outputs = keras.layers.Dropout(self.dropout, name="head.dropout")(outputs)
        if self.hidden_units:
            outputs = keras.layers.Dense(self.hidden_units, activation="relu", name="head.hidden")(outputs)
        outputs = keras.layers.Dense(self.num_classes, dtype="float32", name="head.logits")(outputs)
        if self.output == "probabilities":
            activation = "sigmoid" if self.multi_label else "softmax"
            outputs = keras.layers.Activation(activation, dtype="float32", name="head.probabilities")(outputs)
        return outputs


def scale_logits(model, temperature):
    """Divides the logits of a classifier by a temperature, inside the weights of its last layer.

    Args:
        model: `keras.Model` from `build_image_classifier` or `build_text_classifier`. It is changed.
        temperature: float above 0.
    """
    layer = model.get_layer("head.logits")
    layer.set_weights([weights / temperature for weights in layer.get_weights()])


def join_pooled(pooled):
    """Concatenates pooled features in the layer `head.concat`; a single vector passes unchanged.

    Args:
        pooled: list of Keras tensors (batch, channels) of one dtype.

    Returns:
        Keras tensor (batch, sum of the channels) of that dtype.
    """
    if len(pooled) == 1:
        return pooled[0]
    return keras.layers.Concatenate(dtype=pooled[0].dtype, name="head.concat")(pooled)


def check_pooling(pooling, poolings):
    """Checks the name of a pooling.

    Args:
        pooling: the name.
        poolings: the valid names.

    Raises:
        InputError: the name is unknown.
    """
    if pooling not in poolings:
        raise unknown_name("model.pooling", pooling, poolings)


def check_class_names(class_names, num_classes):
    """Checks that there is one name per class.

    Args:
        class_names: sequence of names, or None.
        num_classes: number of classes.

    Raises:
        InputError: the numbers differ.
    """
    if class_names is not None and len(class_names) != num_classes:
        raise InputError(
            f"{counted(len(class_names), 'class name')} for {counted(num_classes, 'class')}: give one name per class."
        )
