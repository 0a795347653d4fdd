import numpy as np
import pytest

from tests.adaptation.domains import outputs
from tl_keras.adaptation import VALIDATORS, DomainOutputs

LABELS = np.arange(60) % 3


def predictions(confident, seed=0):
    """Draws outputs for `LABELS`: the share `confident` is confident and correct, the others are random."""
    generator = np.random.default_rng(seed)
    random = generator.dirichlet([1, 1, 1], 60)
    probabilities = np.where(generator.random((60, 1)) < confident, np.eye(3)[LABELS] * 0.97 + 0.01, random)
    features = np.eye(3)[LABELS] + generator.normal(0, 0.1, (60, 3))
    return DomainOutputs(features, probabilities)


def test_density_is_high_if_predictions_agree():
    validate = VALIDATORS["soft_neighborhood_density"]
    clustered = DomainOutputs(None, np.eye(3)[np.arange(60) % 3])
    distinct = DomainOutputs(None, np.eye(60))
    # Each example equals 19 others, or has all 59 others at the same distance.
    assert np.isclose(validate(clustered, None, clustered), np.log(19), atol=1e-3)
    assert np.isclose(validate(distinct, None, distinct), np.log(59))


@pytest.mark.parametrize("name", sorted(VALIDATORS.keys() - {"soft_neighborhood_density"}))
def test_a_better_classifier_has_a_higher_score(name):
    scores = [VALIDATORS[name](outputs, LABELS, outputs) for outputs in map(predictions, (0.0, 0.6, 1.0))]
    assert scores == sorted(scores) and scores[0] < scores[2]


def test_validators_equal_their_formulas():
    source, target = outputs(60, 0), outputs(50, 1)
    p = target.probabilities.astype("float64")
    mean, entropies = p.mean(axis=0), -np.sum(p * np.log(p), axis=1)
    results = {name: validate(source, LABELS, target) for name, validate in VALIDATORS.items()}
    assert results["source_accuracy"] == np.mean(source.probabilities.argmax(axis=1) == LABELS)
    assert np.isclose(results["target_entropy"], -entropies.mean())
    assert np.isclose(results["information_maximization"], -np.sum(mean * np.log(mean)) - entropies.mean(), atol=1e-6)
    unit = p / np.linalg.norm(p, axis=1, keepdims=True)
    similar = np.exp(unit @ unit.T / 0.05) * (1 - np.eye(50))
    shares = similar / similar.sum(axis=1, keepdims=True)
    expected = -np.mean(np.sum(shares * np.log(shares + 1e-300), axis=1))
    assert np.isclose(results["soft_neighborhood_density"], expected, rtol=1e-4)


def test_a_single_predicted_class_has_no_information():
    uniform = predictions(1.0)._replace(probabilities=np.tile([0.99, 0.005, 0.005], (60, 1)))
    assert VALIDATORS["information_maximization"](uniform, LABELS, uniform) == pytest.approx(0, abs=1e-9)
    assert VALIDATORS["reverse_validation"](uniform, LABELS, uniform) == pytest.approx(1 / 3)
