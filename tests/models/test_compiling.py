import keras
import numpy as np
import pytest

from tl_keras.models import compile_classifier, metric_direction, reported_metrics


def loss_of(multi_label, label_smoothing, targets, outputs):
    inputs = keras.Input((outputs.shape[1],))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    compile_classifier(model, "sgd", multi_label=multi_label, label_smoothing=label_smoothing)
    return model.evaluate(outputs, targets, verbose=0)


TARGETS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
OUTPUTS = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_one_label_is_cross_entropy_with_smoothed_targets(smoothing):
    loss, accuracy = loss_of(False, smoothing, TARGETS, OUTPUTS)
    targets = TARGETS * (1 - smoothing) + smoothing / 3
    assert loss == pytest.approx(-(targets * np.log(OUTPUTS)).sum(axis=1).mean(), rel=1e-5)
    assert accuracy == 0.5


def test_several_labels_have_a_binary_loss_each():
    loss, accuracy = loss_of(True, 0.0, TARGETS, OUTPUTS)
    by_label = TARGETS * np.log(OUTPUTS) + (1 - TARGETS) * np.log(1 - OUTPUTS)
    assert loss == pytest.approx(-by_label.mean(), rel=1e-5)
    assert accuracy == pytest.approx(4 / 6)


def test_reported_metrics_equal_those_of_fit():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    compile_classifier(model, "sgd")
    expected = ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert reported_metrics(model) == expected
    history = model.fit(OUTPUTS, TARGETS, validation_data=(OUTPUTS, TARGETS), verbose=0).history
    assert sorted(history) == sorted(reported_metrics(model)) == sorted(expected)


def test_a_model_without_metrics_reports_its_loss():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    assert reported_metrics(model) == ["loss", "val_loss"]


def mean_distance(y_true, y_pred):
    return keras.ops.abs(y_true - y_pred)


METRICS = [
    "accuracy",
    "kl_divergence",
    keras.metrics.F1Score(name="error_free"),
    keras.metrics.LogCoshError("gain"),
    mean_distance,
]
DIRECTIONS = {
    "accuracy": "max",
    "kl_divergence": "min",
    "error_free": "max",
    "gain": "min",
    "mean_distance": None,
    "loss": "min",
}


def test_metrics_give_their_direction_before_and_after_the_first_step():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=METRICS)
    assert {name: metric_direction(model, f"val_{name}") for name in DIRECTIONS} == DIRECTIONS
    history = model.fit(OUTPUTS, TARGETS, verbose=0).history
    assert {name: metric_direction(model, name) for name in history} == DIRECTIONS


def test_each_output_gives_the_direction_of_its_metric():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [keras.layers.Dense(3, name=name)(inputs) for name in ("mask", "box")])
    same_name = [[keras.metrics.MeanIoU(3, name="fit")], [keras.metrics.MeanSquaredError(name="fit")]]
    model.compile("sgd", ["mse", "mse"], metrics=same_name)
    assert metric_direction(model, "val_mask_fit") is metric_direction(model, "val_box_fit") is None
    model.compile("sgd", ["mse", "mse"], metrics=[[], [keras.metrics.MeanSquaredError(name="fit")]])
    assert metric_direction(model, "val_box_fit") == "min"


def test_a_model_that_is_not_compiled_gives_the_direction_by_the_name():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    assert (metric_direction(model, "val_mae"), metric_direction(model, "val_speed")) == ("min", None)
