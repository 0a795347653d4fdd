"""Image classifiers: preprocessing, a backbone and a new head as one plain Keras model."""

import keras

from tl_keras.models.head_blocks import block_outputs
from tl_keras.models.head_options import DEFAULT_DROPOUT, IMAGE_POOLINGS, check_head_blocks
from tl_keras.models.heads import Head, check_class_names, check_pooling, join_pooled
from tl_keras.models.images.building import build_backbone
from tl_keras.models.weights.files import is_weight_file
from tl_keras.models.weights.loading import load_weights


def build_image_classifier(
    backbone,
    num_classes,
    *,
    weights="imagenet",
    image_size=None,
    pooling="average",
    head_blocks="last",
    dropout=DEFAULT_DROPOUT,
    hidden_units=None,
    multi_label=False,
    output="probabilities",
    class_names=None,
    weights_sha256=None,
):
    """Builds an image classifier that accepts raw pixels.

    Args:
        backbone: a key of `BACKBONES`, or `keras_hub:PRESET`.
        num_classes: number of classes, at least 2, or at least 1 when `multi_label`.
        weights: "imagenet", None or "none" for random weights, or the path of a local file or folder (see
            `load_weights`).
        image_size: height and width of the images in pixels; None takes that of the backbone's weights.
        pooling: "average", "max", or "concat" for both, over the feature map.
        head_blocks: blocks whose outputs the head reads: "last", "all", or a list of block names. Those of several
            blocks are pooled one by one and concatenated, input side first (see `head_columns`); a backbone ends at the
            last block that is read.
        dropout: share of the pooled features that are dropped in training, 0 to below 1; 0 leaves the layer out.
        hidden_units: width of a ReLU layer before the last one; None leaves it out.
        multi_label: True when an image may belong to several classes or to none: sigmoids instead of a softmax.
        output: "probabilities" or "logits".
        class_names: sequence of `num_classes` names; stored as `model.class_names`, and by `save_model` in the file.
        weights_sha256: hexadecimal SHA-256 that a weights file must have; None skips the check.

    Returns:
        `keras.Model`. In: float32 (batch, image_size, image_size, 3), RGB, 0 to 255. Out: float32 (batch, num_classes),
        also under a mixed precision policy. Its layers are named `BLOCK.LAYER`; the last block is `head`.
        `model.weights_report` is the `WeightsReport` of a local file, else None.

    Raises:
        InputError: an argument is out of its range or unknown, or the weights cannot be used.
    """
    head = Head(num_classes, dropout, hidden_units, multi_label, output)
    check_pooling(pooling, IMAGE_POOLINGS)
    check_head_blocks(head_blocks)
    check_class_names(class_names, num_classes)
    weights = None if weights == "none" else weights
    from_file = is_weight_file(weights, ("imagenet",), weights_sha256)
    network = build_backbone(backbone, weights=None if from_file else weights, image_size=image_size)
    model = keras.Model(network.input, head.add_to(_features(network, head_blocks, pooling)), name=network.name)
    model.class_names = tuple(class_names) if class_names is not None else None
    model.weights_report = load_weights(model, weights, sha256=weights_sha256) if from_file else None
    return model


def _features(network, head_blocks, pooling):
    if head_blocks == "last":
        return join_pooled(_pool(network.output, pooling))
    outputs = block_outputs(network, head_blocks)
    return join_pooled([part for block, output in outputs.items() for part in _pool(output, pooling, f"_{block}")])


def _pool(features, pooling, ending=""):
    """Pools the output of a block; returns a list of one tensor (batch, channels), or of two for "concat"."""
    if len(features.shape) == 2:
        return [features]
    # Transformers return a sequence of tokens instead of a map.
    rank = {3: "1D", 4: "2D"}[len(features.shape)]
    average = getattr(keras.layers, f"GlobalAveragePooling{rank}")
    largest = getattr(keras.layers, f"GlobalMaxPooling{rank}")
    if pooling == "average":
        return [average(name=f"head.pool{ending}")(features)]
    if pooling == "max":
        return [largest(name=f"head.pool{ending}")(features)]
    return [average(name=f"head.average_pool{ending}")(features), largest(name=f"head.max_pool{ending}")(features)]
