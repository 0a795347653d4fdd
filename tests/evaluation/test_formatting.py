import pytest

from tl_keras.evaluation.formatting import format_metric, format_number, metric_label, scalar_metrics


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
