"""Gradient times activation over the tokens of an image transformer, on the grid of its patches."""

import math

import numpy as np

MAX_SPECIAL_TOKENS = 5
"""Tokens that may stand before those of the patches: of the class, of a teacher (DeiT), and registers (DINO)."""


def token_maps(features, gradients):
    """Computes the share of each patch in the score of a class, where it is positive.

    This is the element-wise product of HiResCAM (Draelos and Carin 2020, https://arxiv.org/abs/2011.08891, section 3),
    L_t = ReLU(sum_k dy_c/dA_tk A_tk), with the tokens t in place of positions. Where the head is linear in the mean of
    the tokens, the sums over k add up to the score less its bias, special tokens included; those have no place in the
    image and are left out.

    Args:
        features: float32 (n, tokens, channels), A, the tokens that the head reads, special ones first.
        gradients: float32 of the same shape, dy_c/dA.

    Returns:
        float32 (n, side, side), not negative.
    """
    side = token_grid(features.shape[1])
    patches = (features * gradients).sum(-1)[:, features.shape[1] - side**2 :]
    return np.maximum(patches, 0).reshape(-1, side, side)


def token_grid(num_tokens):
    """Finds the square grid of the patches among the tokens.

    Args:
        num_tokens: number of tokens, with special ones.

    Returns:
        Patches along a side; None if more than `MAX_SPECIAL_TOKENS` would be left over. From 3 on no other grid fits.
    """
    side = math.isqrt(num_tokens or 0)
    return side if side > 1 and num_tokens - side**2 <= MAX_SPECIAL_TOKENS else None
