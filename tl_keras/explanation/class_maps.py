"""Maps of the parts of an image that raise the score of a class, for convolutional networks and transformers."""

import numpy as np
import tensorflow as tf

from tl_keras.errors import InputError, counted
from tl_keras.explanation.grad_cam import grad_cam
from tl_keras.explanation.graph_split import split_at
from tl_keras.explanation.token_maps import token_grid, token_maps
from tl_keras.models.graph import ordered_nodes

LOGITS = "head.logits"
METHODS = {4: ("Grad-CAM", grad_cam), 3: ("gradient times activation", token_maps)}
"""Name of the method and its function, by the rank of the features that the head reads."""


def class_maps(model, images, numbers):
    """Computes a map for each image on the last features that the head reads.

    Args:
        model: image classifier of `build_image_classifier`, also a saved and opened one.
        images: float32 or uint8 (n, side, side, 3), RGB, 0 to 255.
        numbers: int (n,), the class of each image.

    Returns:
        Tuple of float32 (n, height, width), not negative, and the name of the method.

    Raises:
        InputError: the head reads neither a feature map nor tokens in a square grid.
    """
    tensor = find_features(model)
    method, compute = METHODS[len(tensor.shape)]
    return compute(*_differentiate(model, tensor, images, numbers)), method


def find_features(model):
    """Finds the last feature map or sequence of tokens that the head of an image classifier reads.

    Args:
        model: image classifier.

    Returns:
        Keras tensor (batch, height, width, channels) or (batch, tokens, channels).

    Raises:
        InputError: the head reads neither, or the tokens have no square grid.
    """
    nodes = ordered_nodes(model)
    read = [
        tensor
        for node in nodes
        if node.operation.name.startswith("head.")
        for tensor in node.input_tensors
        if len(tensor.shape) in METHODS
    ]
    places = {id(tensor): place for place, node in enumerate(nodes) for tensor in node.output_tensors}
    last = max(read, key=lambda tensor: places[id(tensor)], default=None)
    if last is None or (len(last.shape) == 3 and not token_grid(last.shape[1])):
        found = "neither" if last is None else counted(last.shape[1], "token")
        raise InputError(
            f"A map needs a feature map or a square grid of tokens before the head, and {model.name} has {found}: "
            "explain a run of another backbone, such as efficientnet_lite0."
        )
    return last


def _differentiate(model, tensor, images, numbers):
    """Returns the tensor for the images and the gradient of the score of each one's class, float32 arrays."""
    front, back = split_at(model, tensor, _find_logits(model))
    features, *others = front(tf.cast(images, "float32"))
    with tf.GradientTape() as tape:
        tape.watch(features)
        scores = tf.gather(back([features, *others]), numbers, batch_dims=1)
    return [np.asarray(tf.cast(one, "float32")) for one in (features, tape.gradient(scores, features))]


def _find_logits(model):
    tensors = [node.output_tensors[0] for node in ordered_nodes(model) if node.operation.name == LOGITS]
    if not tensors:
        raise InputError(f"The model {model.name!r} has no layer {LOGITS}, expected a classifier of tl_keras.")
    return tensors[-1]
