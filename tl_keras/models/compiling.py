"""Gives a classifier its loss and its metrics."""

import keras


def compile_classifier(model, optimizer, *, multi_label=False, label_smoothing=0.0, xla=False):
    """Compiles a classifier whose outputs are probabilities.

    Args:
        model: `keras.Model` with outputs (batch, num_classes), 0 to 1; its targets are one-hot or multi-hot.
        optimizer: Keras optimizer.
        multi_label: whether an image may be of several classes at once: a loss for each class in place of one for all.
        label_smoothing: share of each target spread over the other classes, 0 to below 1 (Szegedy et al. 2016,
            https://arxiv.org/abs/1512.00567, section 7).
        xla: True compiles with XLA on any device; False leaves it to Keras, which does so on GPUs.
    """
    if multi_label:
        loss = keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy")
    else:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy], jit_compile=True if xla else "auto")


def reported_metrics(model):
    """Lists what `fit` will report of a compiled model when it has validation data.

    Args:
        model: compiled `keras.Model` whose metrics, if any, were given as `keras.metrics.Metric`.

    Returns:
        List of names, such as "loss" and "val_loss".
    """
    # Keras makes the metrics it was given its own only in the first step.
    given = model._compile_metrics._user_metrics if model._compile_metrics else []
    names = dict.fromkeys(["loss", *(metric.name for metric in (*model.metrics, *given))])
    names.pop("compile_metrics", None)
    return [*names, *(f"val_{name}" for name in names)]
