from tl_keras.evaluation.result_tables import (
    FEW_TESTED,
    NAMED,
    compare_rows,
    note_few_tested,
    note_untested,
    notes_on_test,
    result_rows,
)

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


def test_few_test_examples_say_how_little_they_say():
    metrics = {"accuracy": 0.5, "intervals": {"accuracy": [0.12, 0.88]}, "examples": 4}
    expected = (
        "Only 4 test examples say little about the network: the 95 % interval of Accuracy 0.50 is about 0.12 to 0.88; "
        "test it on more."
    )
    assert note_few_tested(metrics) == expected
    untested = {"per_class": {"cat": {"support": 4}, "dog": {"support": 0}}}
    assert notes_on_test(metrics | untested) == [note_untested(untested), expected]
    assert note_few_tested(metrics | {"examples": FEW_TESTED}) == note_few_tested({}) == "" and notes_on_test({}) == []


def test_the_interval_of_few_images_with_boxes_is_that_of_a_share_of_them():
    note = note_few_tested({"mean_average_precision": 0.3, "average_precision_50": 1.0, "examples": 2})
    assert "Only 2 test examples say little" in note and "mAP 50 1.00 is about 0.34 to 1.00;" in note
    assert "1 test example says hardly anything" in note_few_tested({"average_precision_50": None, "examples": 1})
