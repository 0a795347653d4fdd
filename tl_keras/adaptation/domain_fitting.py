"""What it takes to fit a classifier on two domains, and to see what it makes of each."""

import keras
import numpy as np
import tensorflow as tf

from tl_keras.adaptation.domain_outputs import DomainOutputs
from tl_keras.transfer import features_before_head

WARM_UP = 0.1
"""Share of the steps in which the rate rises to its peak."""


def pair_domains(source, target):
    """Puts batches of both domains side by side, for an `AdaptedClassifier`.

    Args:
        source: `tf.data.Dataset` of (inputs, labels).
        target: `tf.data.Dataset` of inputs, or of tuples that begin with them; what follows is dropped.

    Returns:
        `tf.data.Dataset` of ({"source": inputs, "target": inputs}, labels of the source), as long as the shorter one.
    """
    bare = target.map(lambda inputs, *_: inputs)
    return tf.data.Dataset.zip((source, bare)).map(lambda own, other: ({"source": own[0], "target": other}, own[1]))


def make_adaptation_optimizer(learning_rate, steps, *, weight_decay=0.0, clip_norm=None):
    """Makes AdamW whose rate rises for a tenth of the steps and then falls to zero along a cosine.

    Args:
        learning_rate: the peak, above 0.
        steps: number of steps, at least 1.
        weight_decay: as in AdamW.
        clip_norm: longest that the gradient of all weights together may be; None cuts nothing.

    Returns:
        Keras optimizer.
    """
    warm_up = min(max(1, round(WARM_UP * steps)), steps - 1)
    start, peak = (0.0, learning_rate) if warm_up else (learning_rate, None)
    rate = keras.optimizers.schedules.CosineDecay(start, steps - warm_up, warmup_target=peak, warmup_steps=warm_up)
    return keras.optimizers.AdamW(rate, weight_decay=weight_decay, global_clipnorm=clip_norm)


def collect_outputs(classifier, batches):
    """Collects what a classifier makes of the examples of one domain.

    Args:
        classifier: functional `keras.Model` to class probabilities, or the part of one behind a cut.
        batches: finite iterable of (inputs, labels (batch, num_classes)).

    Returns:
        Tuple of `DomainOutputs` of NumPy arrays, in the order of the batches, and the labels, int (n,).
    """
    both = with_features(classifier)
    found = [(both.predict_on_batch(inputs), np.argmax(labels, axis=1)) for inputs, labels in batches]
    outputs, labels = (np.concatenate(parts) for parts in zip(*found, strict=True))
    num_classes = classifier.output_shape[-1]
    return DomainOutputs(outputs[:, :-num_classes], outputs[:, -num_classes:]), labels


def with_features(classifier):
    """Makes the model that also tells what the head of a classifier decides by.

    Args:
        classifier: functional `keras.Model` to (batch, num_classes).

    Returns:
        `keras.Model` to float32 (batch, channels + num_classes): the features before the head, then the probabilities.
    """
    parts = [features_before_head(classifier), classifier.output]
    return keras.Model(classifier.input, keras.layers.Concatenate(dtype="float32", name="with_features")(parts))
