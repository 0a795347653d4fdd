"""MMD: features of both domains with the same mean in a space of kernels."""

import keras
from keras import ops

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


class MaximumMeanDiscrepancy(keras.layers.Layer):
    """Draws the distributions of the domains' features together, as seen by Gaussian kernels.

    Long et al. 2015 (https://arxiv.org/abs/1502.02791, equation 2 with the kernels of section 3.1), for n source
    features x and m target features y:

        loss = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),
        k(a, b) = mean over the bandwidths u of exp(-|a - b|^2 / (u g)),

    where g is the mean squared distance of any two of the n + m features, a constant to the gradient. All pairs count,
    an example with itself too, so that the loss is never negative.

    Args:
        bandwidths: multiples u of g, above 0.
        name: name of the layer.
    """

    def __init__(self, bandwidths=BANDWIDTHS, name="mmd"):
        super().__init__(name=name, dtype="float32")
        self.bandwidths = bandwidths

    def call(self, source, target, training=False):
        """Computes the loss.

        Args:
            source: `DomainOutputs`, features (n, channels).
            target: `DomainOutputs`, features (m, channels).
            training: makes no difference.

        Returns:
            float32 scalar, 0 or more but for rounding.
        """
        pairs = [
            squared_distances(first.features, second.features)
            for first, second in ((source, source), (target, target), (source, target))
        ]
        within = sum(ops.sum(distances) for distances in pairs) + ops.sum(pairs[2])
        count = ops.shape(pairs[0])[0] + ops.shape(pairs[1])[0]
        others = ops.cast(ops.maximum(count * (count - 1), 1), "float32")
        scale = ops.stop_gradient(ops.maximum(within / others, 1e-12))
        of_source, of_target, between = (self._mean_kernel(distances / scale) for distances in pairs)
        return of_source + of_target - 2 * between

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
