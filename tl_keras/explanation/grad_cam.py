"""Grad-CAM (Selvaraju et al. 2017): the parts of an image that raise the score of a class."""

import numpy as np
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.explanation.graph_split import split_at
from tl_keras.models.graph import ordered_nodes

LOGITS = "head.logits"


def grad_cam(model, images, numbers):
    """Computes the maps of equations 1 and 2 on the last feature map that the head reads.

    The weight of channel k for class c is the mean of the gradient of the score y_c, before the softmax, over the
    positions of the feature map A_k; the map is the sum of A_k times its weight, where it is positive:
    L = ReLU(sum_k (1/Z sum_ij dy_c/dA_kij) A_k).

    Args:
        model: image classifier of `build_image_classifier`, also a saved and opened one.
        images: float32 or uint8 (n, side, side, 3), RGB, 0 to 255.
        numbers: int (n,), the class of each image.

    Returns:
        float32 (n, height, width), not negative.

    Raises:
        InputError: the head reads no feature map, as that of some transformers.
    """
    front, back = split_at(model, find_feature_map(model), _find_logits(model))
    features, *others = front(tf.cast(images, "float32"))
    with tf.GradientTape() as tape:
        tape.watch(features)
        scores = tf.gather(back([features, *others]), numbers, batch_dims=1)
    gradients = np.asarray(tf.cast(tape.gradient(scores, features), "float32"))
    weights = gradients.mean((1, 2))
    return np.maximum(np.einsum("nk,nijk->nij", weights, np.asarray(tf.cast(features, "float32"))), 0)


def find_feature_map(model):
    """Finds the last tensor (batch, height, width, channels) that the head of an image classifier reads.

    Args:
        model: image classifier.

    Returns:
        Keras tensor.

    Raises:
        InputError: the head reads no feature map.
    """
    read = [
        tensor
        for node in ordered_nodes(model)
        if node.operation.name.startswith("head.")
        for tensor in node.input_tensors
        if len(tensor.shape) == 4
    ]
    places = {id(tensor): place for place, node in enumerate(ordered_nodes(model)) for tensor in node.output_tensors}
    if not read:
        raise InputError(
            f"Grad-CAM needs a convolutional feature map before the head, and {model.name} has none: explain a run of "
            "another backbone, such as efficientnet_lite0."
        )
    return max(read, key=lambda tensor: places[id(tensor)])


def _find_logits(model):
    tensors = [node.output_tensors[0] for node in ordered_nodes(model) if node.operation.name == LOGITS]
    if not tensors:
        raise InputError(f"The model {model.name!r} has no layer {LOGITS}, expected a classifier of tl_keras.")
    return tensors[-1]
