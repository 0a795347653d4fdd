"""TENT: entropy minimization on the target domain through batch normalization."""

import re

import keras
from keras import ops

from tl_keras.adaptation.adabn import require_batch_norm
from tl_keras.transfer import freeze_to, recalibrate_batch_norm
from tl_keras.transfer.restoring import replaced_calls


class PredictionEntropy(keras.Model):
    """Trains a classifier to make confident predictions for unlabelled examples.

    Wang et al. 2021, Tent (https://arxiv.org/abs/2006.10726, section 3.1): loss = mean over the batch of the entropy
    -sum p log p of the predictions, without dropout.

    Args:
        classifier: `keras.Model` that outputs class probabilities.
    """

    def __init__(self, classifier):
        super().__init__(name=f"{classifier.name}_tent", autocast=False)
        self.classifier = classifier

    def call(self, inputs):
        """Returns the predictions and adds their mean entropy in nats to the loss."""
        probabilities = self.classifier(inputs, training=False)
        self.add_loss(ops.mean(entropy(probabilities)))
        return probabilities


def minimize_entropy(model, batches, steps, *, learning_rate=1e-3):
    """Trains scale and offset of batch normalization to minimize the entropy on target examples.

    Only these are trained, with Adam, and the layers normalize by the statistics of each batch. Afterwards the
    population statistics are re-estimated, so that predictions do not depend on the batch.

    Args:
        model: functional `keras.Model` with BatchNormalization layers that outputs class probabilities, changed in
            place.
        batches: infinite `tf.data.Dataset` of model inputs, or of tuples that start with them; batches of at least 16
            examples.
        steps: number of batches to train on, at least 1; the same number is used to estimate the statistics.
        learning_rate: learning rate of Adam, above 0, default 1e-3.

    Returns:
        Mean entropy of the batches during training, in nats.

    Raises:
        InputError: the model has no BatchNormalization layer.
    """
    norms = require_batch_norm(model, "tent")
    # Select weights by path, because layer normalization also has a gamma and a beta.
    paths = [re.escape(weight.path) for norm in norms for weight in norm.weights if weight.name in ("gamma", "beta")]
    freeze_to(model, f"regex:^({'|'.join(paths)})$", "train")
    with replaced_calls(norms, _training_call):
        learner = PredictionEntropy(model)
        learner.compile(keras.optimizers.Adam(learning_rate))
        # Keras would trace the step once more to create the optimizer's variables.
        learner.optimizer.build(learner.trainable_variables)
        history = learner.fit(batches.map(lambda inputs, *_: inputs), steps_per_epoch=steps, verbose=0)
    recalibrate_batch_norm(model, batches, steps)
    return history.history["loss"][0]


def entropy(probabilities):
    """Computes the entropy (n,) in nats of each row of probabilities (n, num_classes)."""
    return -ops.sum(probabilities * ops.log(ops.maximum(probabilities, 1e-7)), axis=-1)


def _training_call(norm):
    """Returns a call that normalizes by the statistics of the batch even in inference mode."""
    original = norm.call

    def call(inputs, training=None, mask=None):
        return original(inputs, training=True, mask=mask)

    return call
