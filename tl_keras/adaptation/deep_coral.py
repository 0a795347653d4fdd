"""Deep CORAL: aligned feature covariances of both domains."""

import keras
from keras import ops


class DeepCoral(keras.layers.Layer):
    """Aligns the covariance matrices C of the domains' features.

    Sun and Saenko 2016 (https://arxiv.org/abs/1607.01719, equations 1 to 3), with d channels and n examples::

        loss = |C_source - C_target|^2 / (4 d), squared Frobenius norm,
        C = (X'X - (1'X)'(1'X) / n) / (n - 1).

    Two differences from the paper make one weight suitable for every network: X is divided by the root of its mean
    square over the source (without gradient), and the loss by 4 d instead of 4 d^2.

    Args:
        name: name of the layer, default "deep_coral".
    """

    def __init__(self, name="deep_coral"):
        super().__init__(name=name, dtype="float32")

    def call(self, source, target, training=False):
        """Computes the loss.

        Args:
            source: `DomainOutputs`, features (n, channels), n at least 2.
            target: `DomainOutputs`, features (m, channels), m at least 2.
            training: ignored.

        Returns:
            float32 scalar, 0 or more.
        """
        scale = ops.stop_gradient(ops.rsqrt(ops.mean(ops.square(source.features)) + 1e-12))
        difference = covariance(source.features * scale) - covariance(target.features * scale)
        return ops.sum(ops.square(difference)) / (4 * source.features.shape[-1])


def covariance(features):
    """Computes the covariance matrix (channels, channels) of features (n, channels), n at least 2."""
    count = ops.cast(ops.shape(features)[0], features.dtype)
    centred = features - ops.mean(features, axis=0, keepdims=True)
    return ops.matmul(ops.transpose(centred), centred) / ops.maximum(count - 1, 1.0)
