"""MMD: maximum mean discrepancy between the features of both domains."""

import keras
from keras import ops

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


class MaximumMeanDiscrepancy(keras.layers.Layer):
    """Aligns the feature distributions of the domains, compared with Gaussian kernels.

    Long et al. 2015 (https://arxiv.org/abs/1502.02791, equation 2 with the kernels of section 3.1), for n source
    features x and m target features y::

        loss = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),
        k(a, b) = mean over the bandwidths u of exp(-|a - b|^2 / (u g)),

    where g is the mean squared distance between any two of the n + m features, without gradient. All pairs count,
    including an example with itself, so that the loss is never negative.

    Args:
        bandwidths: multiples u of g, tuple of float above 0, default (0.25, 0.5, 1.0, 2.0, 4.0).
        name: name of the layer, default "mmd".
    """

    def __init__(self, bandwidths=BANDWIDTHS, name="mmd"):
        super().__init__(name=name, dtype="float32")
        self.bandwidths = bandwidths

    def call(self, source, target, training=False):
        """Computes the loss.

        Args:
            source: `DomainOutputs`, features (n, channels).
            target: `DomainOutputs`, features (m, channels).
            training: ignored.

        Returns:
            float32 scalar, 0 or more up to rounding.
        """
        pairs = [
            squared_distances(first.features, second.features)
            for first, second in ((source, source), (target, target), (source, target))
        ]
        total = sum(ops.sum(distances) for distances in pairs) + ops.sum(pairs[2])
        count = ops.shape(pairs[0])[0] + ops.shape(pairs[1])[0]
        num_pairs = ops.cast(ops.maximum(count * (count - 1), 1), "float32")
        scale = ops.stop_gradient(ops.maximum(total / num_pairs, 1e-12))
        source_kernel, target_kernel, cross_kernel = (self._mean_kernel(distances / scale) for distances in pairs)
        return source_kernel + target_kernel - 2 * cross_kernel

    def _mean_kernel(self, distances):
        return sum(ops.mean(ops.exp(-distances / width)) for width in self.bandwidths) / len(self.bandwidths)


def squared_distances(first, second):
    """Computes the squared Euclidean distances of all pairs.

    Args:
        first: float (n, channels).
        second: float (m, channels).

    Returns:
        float (n, m), 0 or more.
    """
    lengths = [ops.sum(ops.square(part), axis=1) for part in (first, second)]
    products = ops.matmul(first, ops.transpose(second))
    return ops.maximum(lengths[0][:, None] + lengths[1][None, :] - 2 * products, 0.0)
