"""TENT: batch normalization that makes predictions on the target sure."""

import contextlib
import re

import keras
from keras import ops

from tl_keras.adaptation.adabn import require_batch_norm
from tl_keras.transfer import freeze_to, recalibrate_batch_norm


class PredictionEntropy(keras.Model):
    """Trains a classifier to be sure of examples whose labels nobody knows.

    Wang et al. 2021, Tent (https://arxiv.org/abs/2006.10726, section 3.1): loss = mean over the batch of the entropy
    -sum p log p of the predictions, without dropout.

    Args:
        classifier: `keras.Model` to class probabilities.
    """

    def __init__(self, classifier):
        super().__init__(name=f"{classifier.name}_tent", autocast=False)
        self.classifier = classifier

    def call(self, inputs):
        """Predicts, and adds the entropy, a scalar in nats, to the loss."""
        probabilities = self.classifier(inputs, training=False)
        self.add_loss(ops.mean(entropy(probabilities)))
        return probabilities


def minimize_entropy(model, batches, steps, *, learning_rate=1e-3):
    """Lets scale and offset of batch normalization learn to make the predictions on target examples sure.

    They learn with the statistics of each batch, by Adam, and nothing else does. Afterwards the statistics of the
    population are estimated anew, so that the model needs no batches to predict.

    Args:
        model: functional `keras.Model` to class probabilities with BatchNormalization layers. It is changed.
        batches: `tf.data.Dataset` without end of what the model takes, or of tuples that begin with it; batches of 16
            examples or more.
        steps: number of batches to learn from; as many serve to estimate the statistics.
        learning_rate: that of Adam, above 0.

    Returns:
        Mean entropy of the batches, in nats, while they were learned from.

    Raises:
        InputError: the model has no BatchNormalization layer.
    """
    norms = require_batch_norm(model, "tent")
    # By their paths: layer normalization has a gamma and a beta, too.
    own = [re.escape(weight.path) for norm in norms for weight in norm.weights if weight.name in ("gamma", "beta")]
    freeze_to(model, f"regex:^({'|'.join(own)})$", "train")
    with _statistics_of_batches(norms):
        learner = PredictionEntropy(model)
        learner.compile(keras.optimizers.Adam(learning_rate))
        history = learner.fit(batches.map(lambda inputs, *_: inputs), steps_per_epoch=steps, verbose=0)
    recalibrate_batch_norm(model, batches, steps)
    return history.history["loss"][0]


def entropy(probabilities):
    """Computes -sum p log p of each row of (n, num_classes), in nats: (n,)."""
    return -ops.sum(probabilities * ops.log(ops.maximum(probabilities, 1e-7)), axis=-1)


@contextlib.contextmanager
def _statistics_of_batches(norms):
    """Lets the layers normalize by the statistics of the batch, also where all else runs as in inference."""
    for norm in norms:
        norm.call = _training_call(norm)
    try:
        yield
    finally:
        for norm in norms:
            del norm.call


def _training_call(norm):
    own = norm.call

    def call(inputs, training=None, mask=None):
        return own(inputs, training=True, mask=mask)

    return call
