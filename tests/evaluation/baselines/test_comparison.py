import numpy as np
import pytest

from tl_keras.evaluation.baselines.baseline import measure_baseline
from tl_keras.evaluation.baselines.comparison import NO_BETTER, compare_with_baselines
from tl_keras.evaluation.classification import classification_metrics

LABELS = np.repeat([0, 1], 50)


def predicting(right):
    """Returns probabilities that are right for the first examples."""
    return np.eye(2)[np.where(np.arange(100) < right, LABELS, 1 - LABELS)]


def rule(name, right):
    return measure_baseline(name, lambda: predicting(right), LABELS, "ab")


def sentences(network, *baselines):
    metrics = classification_metrics(LABELS, predicting(network), "ab")
    return compare_with_baselines(LABELS, predicting(network), metrics, baselines)


@pytest.mark.parametrize(
    ("network", "expected", "interval"),
    [
        (90, "is 10.0 points of accuracy above the best baseline, words", "3.4 to 16.2 points"),
        (82, "is 2.0 points of accuracy above the best baseline, words", "-1.9 to 5.8 points, which includes 0"),
        (80, "equals the best baseline, words, in accuracy", "-2.7 to 2.7 points, which includes 0"),
        (78, "is 2.0 points of accuracy below the best baseline, words", "-1.9 to 5.8 points, which includes 0"),
        (70, "is 10.0 points of accuracy below the best baseline, words", "3.4 to 16.2 points"),
    ],
)
def test_the_best_baseline_is_compared_on_the_same_examples(network, expected, interval):
    (sentence,) = sentences(network, rule("majority", 50), rule("words", 80))
    assert sentence == f"The network {expected} (95 % interval {interval})."


@pytest.mark.parametrize("network", [40, 50])
def test_a_network_no_better_than_the_majority_is_a_warning(network):
    _, warning = sentences(network, rule("majority", 50))
    assert warning.startswith(
        f"Warning: the network is no better than the majority (accuracy 0.{network}0 against 0.500)"
    )
    assert warning.startswith(NO_BETTER) and warning.endswith("against 0.500).")


def test_labels_are_compared_by_macro_f1():
    labels = np.eye(2, dtype=int)[LABELS]
    baseline = measure_baseline("majority", lambda: 0 * predicting(0), labels, "ab", multi_label=True)
    metrics = classification_metrics(labels, predicting(90), "ab", multi_label=True)
    (sentence,) = compare_with_baselines(labels, predicting(90), metrics, [baseline], multi_label=True)
    assert sentence.startswith(
        "The network is 89.9 points of macro-F1 above the best baseline, majority (95 % interval 8"
    )
    perfect = classification_metrics(labels, labels, "ab", multi_label=True)
    (sentence,) = compare_with_baselines(labels, labels, perfect, [baseline], multi_label=True)
    assert sentence == "The network is 100.0 points of macro-F1 above the best baseline, majority."


@pytest.mark.parametrize(("difference", "direction"), [(3e-4, "above"), (-3e-4, "below")])
def test_a_difference_that_rounds_to_zero_is_not_called_zero(difference, direction):
    words = rule("words", 80)
    metrics = {"accuracy": words.metrics["accuracy"] + difference}
    (sentence,) = compare_with_baselines(LABELS, predicting(80), metrics, [rule("majority", 50), words])
    assert sentence.startswith(f"The network is less than 0.1 points of accuracy {direction} the best baseline, words")
