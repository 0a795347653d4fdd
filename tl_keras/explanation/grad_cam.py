"""Grad-CAM (Selvaraju et al. 2017): the parts of an image that raise the score of a class."""

import numpy as np


def grad_cam(features, gradients):
    """Computes the maps of equations 1 and 2.

    The weight of channel k for class c is the mean of the gradient of the score y_c, before the softmax, over the
    positions of the feature map A_k; the map is the sum of A_k times its weight, where it is positive:
    L = ReLU(sum_k (1/Z sum_ij dy_c/dA_kij) A_k).

    Args:
        features: float32 (n, height, width, channels), A, the last feature map that the head reads.
        gradients: float32 of the same shape, dy_c/dA.

    Returns:
        float32 (n, height, width), not negative.
    """
    return np.maximum(np.einsum("nk,nijk->nij", gradients.mean((1, 2)), features), 0)
