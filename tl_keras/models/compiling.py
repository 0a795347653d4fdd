"""Loss and metrics of classifiers."""

import keras

from tl_keras.phases import direction_of

ACCURACY = ("accuracy", "acc", "crossentropy", "ce")
"""Names for which Keras chooses the metric by the shapes of the first batch; their names tell the direction."""


def compile_classifier(model, optimizer, *, multi_label=False, label_smoothing=0.0, xla=False):
    """Compiles a classifier whose outputs are probabilities.

    Args:
        model: `keras.Model` with outputs (batch, num_classes), 0 to 1; its targets are one-hot or multi-hot.
        optimizer: Keras optimizer.
        multi_label: True when an example may belong to several classes: one binary loss per class.
        label_smoothing: share of each target that is spread over all classes, 0 to below 1 (Szegedy et al. 2016,
            https://arxiv.org/abs/1512.00567, section 7).
        xla: True compiles with XLA on every device; False leaves the choice to Keras, which uses XLA on GPUs.
    """
    if multi_label:
        loss = keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy")
    else:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy], jit_compile=True if xla else "auto")


def reported_metrics(model):
    """Lists the metrics that `fit` reports for a compiled model with validation data.

    Args:
        model: compiled `keras.Model`; metrics passed to `compile` must be `keras.metrics.Metric` objects.

    Returns:
        List of names, such as "loss" and "val_loss".
    """
    # Keras adds the metrics passed to `compile` to `model.metrics` only in the first step.
    pending = model._compile_metrics._user_metrics if model._compile_metrics else []
    names = dict.fromkeys(["loss", *(metric.name for metric in (*model.metrics, *pending))])
    names.pop("compile_metrics", None)
    return [*names, *(f"val_{name}" for name in names)]


def metric_direction(model, name):
    """Returns the direction in which a metric is better, by its Keras object or else by its name.

    Args:
        model: `keras.Model`, compiled or not.
        name: name of the metric as `fit` reports it, such as "val_accuracy".

    Returns:
        "min" or "max"; None if neither tells.
    """
    name = name.removeprefix("val_")
    places = ["", *(f"{output}_" for output in getattr(model, "output_names", None) or [])]
    directions = {
        metric._direction
        for given, metric in _metric_objects(model)
        if hasattr(metric, "_direction") and any(name == f"{place}{given}" for place in places)
    }
    # Outputs may have metrics of equal name and opposite direction.
    return {"up": "max", "down": "min"}[directions.pop()] if len(directions) == 1 else direction_of(name)


def _metric_objects(model):
    """Yields the name and the object of each metric, also of those that Keras creates only in the first step."""
    for metric in model.metrics:
        yield from ((inner.name, inner) for inner in getattr(metric, "metrics", [metric]))
    compiled = model._compile_metrics
    if compiled and not compiled.built:
        for given in keras.tree.flatten((compiled._user_metrics, compiled._user_weighted_metrics)):
            if isinstance(given, keras.Metric):
                yield given.name, given
            elif isinstance(given, str) and given not in ACCURACY:
                yield given, keras.metrics.get(given)
