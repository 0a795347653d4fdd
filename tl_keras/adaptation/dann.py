"""DANN: domain-adversarial training of features that do not reveal the domain."""

import keras
from keras import ops


class DomainAdversarial(keras.layers.Layer):
    """Trains features against a discriminator that is trained to distinguish the domains.

    Ganin et al. 2016 (https://arxiv.org/abs/1505.07818, equations 9 and 14): the discriminator D minimizes its
    cross-entropy, and the features f, through a gradient reversal layer, maximize it with strength s:

        loss = (mean over the source of -log D(f) + mean over the target of -log(1 - D(f))) / 2,
        s = 2 / (1 + exp(-10 p)) - 1 at the fraction p, 0 to 1, of `ramp_steps`.

    Args:
        hidden_units: width of the discriminator's two hidden layers, at least 1, default 256.
        ramp_steps: training steps after which the reversed gradient has nearly its full strength, at least 1, default
            1000.
        name: name of the layer, default "dann".
    """

    def __init__(self, hidden_units=256, ramp_steps=1000, name="dann"):
        super().__init__(name=name, dtype="float32")
        self.hidden_units = hidden_units
        self.ramp_steps = ramp_steps
        self.hidden = [
            keras.layers.Dense(hidden_units, activation="relu", dtype="float32", name=f"hidden{number}")
            for number in (1, 2)
        ]
        self.logit = keras.layers.Dense(1, dtype="float32", name="logit")

    def build(self, source_shape, target_shape):
        """Builds the discriminator for features (batch, channels) and the step counter."""
        width = source_shape[0][-1]
        for layer in self.hidden:
            layer.build((None, width))
            width = self.hidden_units
        self.logit.build((None, width))
        self.steps = self.add_weight(
            name="steps", shape=(), initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self.built = True

    def call(self, source, target, training=False):
        """Computes the loss.

        Args:
            source: `DomainOutputs`, features (n, channels).
            target: `DomainOutputs`, features (m, channels).
            training: True to count the step.

        Returns:
            float32 scalar, 0 or more.
        """
        strength = 2 / (1 + ops.exp(-10 * ops.minimum(self.steps / self.ramp_steps, 1.0))) - 1
        if training:
            self.steps.assign_add(1.0)
        source_logits, target_logits = (
            self._logits(reverse_gradient(part.features, strength)) for part in (source, target)
        )
        return (ops.mean(ops.softplus(-source_logits)) + ops.mean(ops.softplus(target_logits))) / 2

    def _logits(self, features):
        for layer in self.hidden:
            features = layer(features)
        return self.logit(features)


def reverse_gradient(values, strength):
    """Returns values unchanged, with their gradient multiplied by `-strength`.

    Args:
        values: floating-point tensor.
        strength: scalar, 0 or more.

    Returns:
        Tensor of the same shape.
    """
    return ops.stop_gradient(values * (1 + strength)) - values * ops.stop_gradient(strength)
