"""Self-training: confident predictions for target examples as labels."""

import keras
from keras import ops


class SelfTraining(keras.layers.Layer):
    """Trains on the predicted classes of target examples with confident predictions.

    Lee 2013 ("Pseudo-Label", equations 15 and 16), with the threshold of FixMatch (Sohn et al. 2020,
    https://arxiv.org/abs/2001.07685, equation 4): with p the probabilities of an example and c their largest,

        loss = mean over the m target examples of [p_c >= threshold] * -log p_c.

    Args:
        threshold: minimum probability of a confident prediction, 0 to 1, default 0.9.
        name: name of the layer, default "self_training".
    """

    def __init__(self, threshold=0.9, name="self_training"):
        super().__init__(name=name, dtype="float32")
        self.threshold = threshold

    def call(self, source, target, training=False):
        """Computes the loss.

        Args:
            source: `DomainOutputs`, ignored.
            target: `DomainOutputs`, probabilities (m, num_classes).
            training: ignored.

        Returns:
            float32 scalar, 0 or more.
        """
        largest = ops.max(target.probabilities, axis=-1)
        is_confident = ops.cast(largest >= self.threshold, "float32")
        return -ops.mean(is_confident * ops.log(ops.maximum(largest, 1e-7)))
