from tl_keras.evaluation.result_tables import compare_rows, result_rows

METRICS = {"accuracy": 0.75, "macro_f1": 0.5, "log_loss": 0.7, "examples": 4, "intervals": {"accuracy": [0.5, 1.0]}}


def test_each_metric_has_its_interval():
    assert result_rows(METRICS)[:2] == [("Accuracy", "75.0 %", "50.0 % to 100.0 %"), ("Macro F1", "0.500", "")]


def test_the_metrics_of_the_baselines_are_compared():
    baselines = [{"name": "one", "accuracy": 0.5, "macro_f1": 0.25, "seconds": 2}, {"name": "old", "accuracy": 0.25}]
    assert compare_rows(METRICS, baselines) == [
        ["Model", "Accuracy", "Macro F1", "CPU seconds"],
        ["this network", "75.0 % (50.0 % to 100.0 %)", "0.500", "–"],
        ["one", "50.0 %", "0.250", "2.0"],
        ["old", "25.0 %", "–", "–"],
    ]
    assert compare_rows(METRICS, []) == []
