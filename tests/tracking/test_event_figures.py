from tests.tracking.tracked import METRICS, PHASE
from tl_keras.tracking.event_figures import epoch_figures, phase_figures, result_figures


def test_an_epoch_has_figures_only():
    values = {"epoch": 3, "loss": 0.5, "accuracy": None, "stopped": True, "text": "x"}
    assert epoch_figures(values) == {"loss": 0.5}


def test_a_phase_has_the_rate_of_each_block():
    assert phase_figures(PHASE) == {"learning_rate/head": 0.01, "trainable_parameters": 770.0}


def test_results_have_intervals_and_baselines():
    metrics = METRICS | {"baselines": [{"name": "majority class", "accuracy": 0.4, "intervals": {}}]}
    assert result_figures(metrics) == {
        "test/examples": 9,
        "test/accuracy": 0.75,
        "test/accuracy_low": 0.5,
        "test/accuracy_high": 0.9,
        "baseline/majority class/accuracy": 0.4,
    }
