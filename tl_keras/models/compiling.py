"""Loss and metrics of classifiers."""

import keras


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
