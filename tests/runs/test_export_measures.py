import numpy as np
import pytest

from tl_keras.runs.export_measures import _predict_all, result_lines, verdict

PLAIN = {"name": "onnx", "bytes": 4_000_000, "milliseconds": {"1": 10.0, "32": 200.0}, "value": 0.9, "difference": 1e-6}


@pytest.mark.parametrize(
    ("times", "value", "expected"),
    [
        ((5, 100), 0.897, "is better than onnx (4.0 × smaller, 2.0 × faster at batch 1"),
        ((12, 100), 0.9, "is not better than onnx: slower at batch 1 ("),
        ((12, 300), 0.8, "is not better than onnx: slower at batch 1 and 32, more than 0.5 points lost ("),
    ],
)
def test_a_quantized_export_is_better_only_if_it_is_fast_and_accurate(times, value, expected):
    row = {
        "name": "onnx int8",
        "bytes": 1_000_000,
        "milliseconds": dict(zip(("1", "32"), times, strict=True)),
        "value": value,
    }
    assert expected in verdict(row, PLAIN, "accuracy")


def test_the_table_has_a_row_for_each_export_and_the_verdicts_below():
    baseline = {"name": "model.predict", "milliseconds": {"1": 50.0, "32": 400.0}, "value": 0.9}
    results = {"metric": "accuracy", "exports": [baseline, PLAIN | {"verdict": "onnx is fine"}]}
    head, first, second, last = result_lines(results)
    assert head.split() == ["export", "MB", "difference", "ms,", "batch", "1", "ms,", "batch", "32", "Accuracy"]
    assert first.split() == ["model.predict", "50.0", "400.0", "0.9000"]
    assert second.split() == ["onnx", "4.0", "1e-06", "10.0", "200.0", "0.9000"]
    assert last == "onnx is fine"


def test_batches_are_joined_and_probabilities_of_8_bits_sum_to_one():
    inputs = {"images": np.ones((5, 2, 2, 3), "float32")}
    sizes = []

    def predict(batch):
        sizes.append(len(batch["images"]))
        return {"probabilities": np.full((len(batch["images"]), 2), 0.4)}

    assert (_predict_all(predict, inputs, 5, 2, multi_label=False) == 0.5).all() and sizes == [2, 2, 1]
    assert (_predict_all(predict, inputs, 5, 2, multi_label=True) == 0.4).all()
