"""Data, optimizer and outputs for fitting a classifier on two domains."""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tl_keras.transfer import features_before_head

WARM_UP = 0.1
"""Share of the steps during which the learning rate rises to its peak."""


class DomainOutputs(NamedTuple):
    """Holds the outputs of a classifier for n examples of a domain."""

    features: Any
    """Tensor (n, channels): the input of the head, before its dropout."""
    probabilities: Any
    """Tensor (n, num_classes); each row sums to 1."""


def pair_domains(source, target):
    """Pairs batches of both domains for an `AdaptedClassifier`.

    Args:
        source: `tf.data.Dataset` of (inputs, labels).
        target: `tf.data.Dataset` of inputs, or of tuples that start with them; the remaining elements are dropped.

    Returns:
        `tf.data.Dataset` of ({"source": inputs, "target": inputs}, source labels), as long as the shorter one.
    """
    unlabelled = target.map(lambda inputs, *_: inputs)
    return tf.data.Dataset.zip((source, unlabelled)).map(
        lambda labelled, inputs: ({"source": labelled[0], "target": inputs}, labelled[1])
    )


def make_adaptation_optimizer(learning_rate, steps, *, weight_decay=0.0, clip_norm=None):
    """Creates AdamW with a warm-up over a tenth of the steps and cosine decay to zero.

    Args:
        learning_rate: peak learning rate, above 0.
        steps: number of steps, at least 1.
        weight_decay: as in AdamW, 0 or more, default 0.
        clip_norm: maximum norm of the gradient of all weights together, above 0; None (default) does not clip.

    Returns:
        Keras optimizer.
    """
    warm_up = min(max(1, round(WARM_UP * steps)), steps - 1)
    start, peak = (0.0, learning_rate) if warm_up else (learning_rate, None)
    rate = keras.optimizers.schedules.CosineDecay(start, steps - warm_up, warmup_target=peak, warmup_steps=warm_up)
    return keras.optimizers.AdamW(rate, weight_decay=weight_decay, global_clipnorm=clip_norm)


def collect_outputs(classifier, batches):
    """Computes the features and probabilities of all examples of one domain.

    Args:
        classifier: functional `keras.Model` that outputs class probabilities, or the part of one after a cut.
        batches: finite iterable of (inputs, labels (batch, num_classes)).

    Returns:
        Tuple of `DomainOutputs` of NumPy arrays, in the order of the batches, and the labels, int (n,).
    """
    model = with_features(classifier)
    parts = [(model.predict_on_batch(inputs), np.argmax(labels, axis=1)) for inputs, labels in batches]
    outputs, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    num_classes = classifier.output_shape[-1]
    return DomainOutputs(outputs[:, :-num_classes], outputs[:, -num_classes:]), labels


def with_features(classifier):
    """Builds a model that outputs the features of a classifier together with its probabilities.

    Args:
        classifier: functional `keras.Model` with output (batch, num_classes).

    Returns:
        `keras.Model` to float32 (batch, channels + num_classes): the features before the head, then the probabilities.
    """
    parts = [features_before_head(classifier), classifier.output]
    return keras.Model(classifier.input, keras.layers.Concatenate(dtype="float32", name="with_features")(parts))
