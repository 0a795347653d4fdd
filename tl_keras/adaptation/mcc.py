"""MCC: minimum class confusion on the target domain."""

import keras
from keras import ops


class MinimumClassConfusion(keras.layers.Layer):
    """Minimizes the confusion between classes in the predictions for the target.

    Jin et al. 2020 (https://arxiv.org/abs/1912.03699, equations 2 to 6). With Q the probabilities of the m target
    examples at temperature t, and H their entropies:

        w_i = m (1 + exp(-H_i)) / sum over i of (1 + exp(-H_i)),
        C = Q' diag(w) Q, each row divided by its sum,
        loss = sum of C off its diagonal / num_classes.

    Args:
        temperature: t, above 0, default 2.5.
        name: name of the layer, default "mcc".
    """

    def __init__(self, temperature=2.5, name="mcc"):
        super().__init__(name=name, dtype="float32")
        self.temperature = temperature

    def call(self, source, target, training=False):
        """Computes the loss.

        Args:
            source: `DomainOutputs`, ignored.
            target: `DomainOutputs`, probabilities (m, num_classes).
            training: ignored.

        Returns:
            float32 scalar, 0 to 1.
        """
        logs = ops.log(ops.maximum(target.probabilities, 1e-7)) / self.temperature
        softened = ops.softmax(logs, axis=-1)
        entropy = -ops.sum(softened * ops.log_softmax(logs, axis=-1), axis=-1)
        certainty = 1 + ops.exp(-entropy)
        weights = certainty * ops.cast(ops.shape(certainty)[0], "float32") / ops.sum(certainty)
        confusion = ops.matmul(ops.transpose(softened * weights[:, None]), softened)
        confusion = confusion / ops.sum(confusion, axis=1, keepdims=True)
        return 1 - ops.trace(confusion) / confusion.shape[0]
