"""Image classifiers: a backbone with its preprocessing in front and a fresh head behind, as one plain Keras model."""

import keras

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.building import build_backbone
from tl_keras.models.weights import load_weights

POOLINGS = ("average", "max", "concat")
OUTPUTS = ("probabilities", "logits")


def build_image_classifier(
    backbone,
    num_classes,
    *,
    weights="imagenet",
    image_size=None,
    pooling="average",
    dropout=0.2,
    hidden_units=None,
    multi_label=False,
    output="probabilities",
    class_names=None,
    weights_sha256=None,
):
    """Builds a classifier that takes raw pixels.

    Args:
        backbone: a key of `BACKBONES`, or `keras_hub:PRESET`.
        num_classes: number of classes, at least 2, or at least 1 when `multi_label`.
        weights: "imagenet", None or "none" for random ones, or the path of a local file or folder (see `load_weights`).
        image_size: height and width of the images in pixels; by default the one of the backbone's weights.
        pooling: "average", "max", or "concat" for both, over the feature map.
        dropout: share of the pooled features that are dropped in training, 0 to below 1; 0 leaves the layer out.
        hidden_units: width of a ReLU layer before the last one; None leaves it out.
        multi_label: True when an image may be of several classes at once or of none: sigmoids in place of the softmax.
        output: "probabilities" or "logits".
        class_names: sequence of `num_classes` names; kept as `model.class_names`, and by `save_model` in the file.
        weights_sha256: hexadecimal digest that a weights file must have; None checks nothing.

    Returns:
        `keras.Model`. In: float32 (batch, image_size, image_size, 3), RGB, 0 to 255. Out: float32 (batch, num_classes),
        also under a mixed precision policy. Its layers are named `BLOCK.LAYER`; the last block is `head`. With a local
        file, `model.weights_report` is the `WeightsReport` of what came from it, else None.

    Raises:
        InputError: an argument is out of its range or unknown, or the weights cannot be used.
    """
    _check_head(num_classes, pooling, dropout, hidden_units, multi_label, output, class_names)
    weights = None if weights == "none" else weights
    from_file = weights not in ("imagenet", None)
    if weights_sha256 and not from_file:
        raise InputError(
            f"A SHA-256 was given for the weights {weights!r}, which are no file: give --model.weights PATH."
        )
    features = build_backbone(backbone, weights=None if from_file else weights, image_size=image_size)
    outputs = _pool(features.output, pooling)
    if dropout:
        outputs = keras.layers.Dropout(dropout, name="head.dropout")(outputs)
    if hidden_units:
        outputs = keras.layers.Dense(hidden_units, activation="relu", name="head.hidden")(outputs)
    outputs = keras.layers.Dense(num_classes, dtype="float32", name="head.logits")(outputs)
    if output == "probabilities":
        activation = "sigmoid" if multi_label else "softmax"
        outputs = keras.layers.Activation(activation, dtype="float32", name="head.probabilities")(outputs)
    model = keras.Model(features.input, outputs, name=features.name)
    model.class_names = tuple(class_names) if class_names is not None else None
    model.weights_report = load_weights(model, weights, sha256=weights_sha256) if from_file else None
    return model


def _pool(features, pooling):
    # A transformer's features are a row of tokens, not a map.
    rank = {3: "1D", 4: "2D"}[len(features.shape)]
    average = getattr(keras.layers, f"GlobalAveragePooling{rank}")
    largest = getattr(keras.layers, f"GlobalMaxPooling{rank}")
    if pooling == "average":
        return average(name="head.pool")(features)
    if pooling == "max":
        return largest(name="head.pool")(features)
    pooled = [average(name="head.average_pool")(features), largest(name="head.max_pool")(features)]
    return keras.layers.Concatenate(name="head.concat")(pooled)


def _check_head(num_classes, pooling, dropout, hidden_units, multi_label, output, class_names):
    fewest = 1 if multi_label else 2
    if num_classes < fewest:
        raise InputError(f"num_classes is {num_classes}, expected at least {fewest}: give data with more classes.")
    if pooling not in POOLINGS:
        raise unknown_name("model.pooling", pooling, POOLINGS)
    if output not in OUTPUTS:
        raise unknown_name("model.output", output, OUTPUTS)
    if not 0 <= dropout < 1:
        raise InputError(f"model.dropout is {dropout}, expected 0 to below 1, such as 0.2.")
    if hidden_units is not None and hidden_units < 1:
        raise InputError(f"model.hidden_units is {hidden_units}, expected at least 1, or none for no hidden layer.")
    if class_names is not None and len(class_names) != num_classes:
        raise InputError(f"{len(class_names)} class names for {num_classes} classes: give one name per class.")
