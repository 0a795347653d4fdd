from tl_keras.evaluation.result_tables import NAMED, compare_rows, note_untested, result_rows

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


def test_classes_without_a_tested_example_are_named():
    tested = {f"class{number}": {"support": 1} for number in range(2)}
    assert note_untested({"per_class": tested}) == note_untested({}) == ""
    assert (
        note_untested({"per_class": tested | {"question": {"support": 0}}})
        == "The figures are for 2 of 3 classes: there is no tested example of question."
    )
    many = {f"rare{number}": {"support": 0} for number in range(NAMED + 5)}
    note = note_untested({"per_class": tested | many})
    assert note.startswith("The figures are for 2 of 27 classes: ") and note.endswith("; rare19; and 5 more.")
