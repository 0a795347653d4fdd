import pytest

from tl_keras.training.adaptation_report import Adapted, summarize


def metrics(accuracy, f1=0.5):
    return {"accuracy": accuracy, "per_class": {"a": {"f1": f1}, "b": {"f1": 0.5}}}


def record(before, after, kept="mcc × 1", **more):
    target = {"source_only": metrics(before), "adapted": metrics(after, 0.75)} | more
    return {"method": "mcc", "validator": "target_entropy", "kept": kept, "candidates": [], "target": target}


def test_a_summary_names_the_candidate_the_accuracies_and_the_classes_that_changed():
    assert summarize(record(0.5, 0.75)) == [
        "adaptation: mcc × 1 was kept, chosen by target_entropy without any target label",
        "target accuracy: source-only 0.500, adapted 0.750",
        "F1 of class a: +0.250",
    ]


def test_a_model_with_the_statistics_of_the_target_is_for_the_target():
    told = [line for kept in ("adabn", "tent", "mcc × 1") for line in summarize(record(0.5, 0.75, kept=kept))]
    assert sum("for the source, train without adaptation" in line for line in told) == 2


def test_the_gap_to_the_upper_bound_is_stated():
    adapted = Adapted(record(0.5, 0.75)).with_upper_bound(metrics(0.9))
    assert "trained on its labels 0.900 (62% of the gap closed)" in summarize(adapted.record)[1]


def test_negative_transfer_is_stated():
    assert any(line.startswith("negative transfer") for line in summarize(record(0.75, 0.5)))


def test_the_source_only_model_may_be_kept():
    assert "found nothing better" in summarize(record(0.5, 0.5, kept="source-only"))[0]


def test_a_model_that_only_the_validator_prefers_is_named_with_its_refusal():
    found = record(0.5, 0.5, kept="source-only")
    adapted = {"name": "mcc × 1", "score": 0.7, "refused": "source_accuracy falls from 0.7 to 0.1"}
    found["candidates"] = [{"name": "source-only", "score": 0.5, "refused": None}, adapted]
    assert summarize(found)[1].endswith("better by target_entropy, but refused because " + adapted["refused"])
    adapted["score"] = 0.4
    assert "refused" not in " ".join(summarize(found))


@pytest.mark.parametrize("target", [{}, {"target": {"source_only": metrics(0.5)}}])
def test_without_a_method_only_the_target_is_measured(target):
    assert summarize(target) == ["target accuracy, source only: 0.500"][: len(target)]


def test_accuracies_on_the_target_have_intervals():
    bounded = record(0.5, 0.75, upper_bound=metrics(0.9) | {"intervals": {"accuracy": [0.7, 0.97]}})
    assert "trained on its labels 0.900 (0.70 to 0.97) (62% of the gap closed)" in summarize(bounded)[1]
