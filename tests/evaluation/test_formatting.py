import pytest

from tl_keras.evaluation.formatting import (
    format_headlines,
    format_interval,
    format_metric,
    format_number,
    metric_label,
    scalar_metrics,
)


def test_scalar_metrics_keep_their_order_with_examples_last():
    metrics = {"examples": 3, "accuracy": 0.5, "mean_average_precision": None, "per_class": {}, "confusion_matrix": []}
    assert list(scalar_metrics(metrics)) == ["accuracy", "mean_average_precision", "examples"]


@pytest.mark.parametrize(
    ("name", "value", "label", "text"),
    [
        ("accuracy", 0.8125, "Accuracy", "81.2 %"),
        ("accuracy", 1.0, "Accuracy", "100.0 %"),
        ("macro_f1", 0.8125, "Macro F1", "0.812"),
        ("mean_average_precision", None, "mAP", "–"),
        ("examples", 1500, "Examples", "1,500"),
    ],
)
def test_metric_labels_and_values(name, value, label, text):
    assert (metric_label(name), format_metric(name, value)) == (label, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (4650000, "4,650,000"),
        (1e-5, "1e-05"),
        (0.001, "0.001"),
        (1044.2, "1,044"),
        (999.6, "1,000"),
        ("a", "a"),
    ],
)
def test_number_formats(value, text):
    assert format_number(value) == text


def test_intervals_have_the_format_of_their_metric():
    assert format_interval("accuracy", [0.5, 1.0]) == "50.0 % to 100.0 %"
    assert format_interval("macro_f1", [0.5, 1.0]) == "0.500 to 1.000"
    assert format_interval("macro_f1", None) == ""


def test_headlines_show_the_metrics_that_exist_with_their_intervals():
    metrics = {"accuracy": 0.843, "macro_f1": 0.783, "subset_accuracy": None, "log_loss": 1.0}
    metrics["intervals"] = {"accuracy": [0.768, 0.897], "macro_f1": [0.77, 0.79]}
    names = ("accuracy", "subset_accuracy", "macro_f1", "mean_average_precision")
    assert format_headlines(metrics, names) == "accuracy 0.843 (0.77 to 0.90)  macro_f1 0.783 (0.77 to 0.79)"
    many = "accuracy 0.843 (0.768 to 0.897)  macro_f1 0.783 (0.770 to 0.790)"
    assert format_headlines(metrics | {"examples": 1000}, names) == many
    assert format_headlines({"accuracy": 0.5}, names) == "accuracy 0.500"
