from dataclasses import replace

import numpy as np
import pytest

from tl_keras.probing.linear_head import to_probabilities
from tl_keras.probing.temperature import choose_temperature, fit_temperature, scale_probabilities, to_logits


def draw(temperature, count=3000, multi_label=False):
    """Draws labels from logits that are divided by a temperature; returns the logits and the labels."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (count, 4))
    probabilities = to_probabilities(logits / temperature, multi_label)
    if multi_label:
        return logits, (random.random((count, 4)) < probabilities).astype(int)
    return logits, np.array([random.choice(4, p=row) for row in probabilities])


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_finds_the_temperature_that_labels_were_drawn_with(temperature, multi_label):
    logits, labels = draw(temperature, multi_label=multi_label)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.1)


def test_is_the_minimum_of_the_log_loss():
    logits, labels = draw(1.7, 300)
    found = fit_temperature(logits, labels)
    losses = [
        -np.log(to_probabilities(logits / (found * factor), False)[np.arange(300), labels]).mean()
        for factor in (0.99, 1, 1.01)
    ]
    assert losses[1] == min(losses)


def test_labels_that_are_all_right_meet_the_limit():
    assert fit_temperature(np.eye(3), np.arange(3)) == pytest.approx(0.1)


@pytest.mark.parametrize("multi_label", [False, True])
def test_scaled_probabilities_are_those_of_scaled_logits(multi_label):
    logits, _ = draw(1, 20, multi_label)
    scaled = scale_probabilities(to_probabilities(logits, multi_label), 2.0, multi_label)
    np.testing.assert_allclose(scaled, to_probabilities(logits / 2, multi_label), atol=1e-6)
    assert np.isfinite(to_logits(np.array([[0.0, 1.0]]), multi_label)).all()


def test_helps_where_confidence_is_wrong_and_not_where_it_is_right():
    logits, labels = draw(2.5, 500)
    overconfident = choose_temperature(to_probabilities(logits, False), labels)
    assert overconfident.helps and overconfident.value == pytest.approx(2.5, rel=0.2)
    right = choose_temperature(to_probabilities(logits / 2.5, False), labels)
    assert not right.helps and right.examples == 500
    assert overconfident.loss - overconfident.gain == pytest.approx(right.loss, rel=0.02)


def test_a_temperature_is_not_judged_by_the_examples_that_chose_it():
    # Any temperature is noise here; fitted and judged on the same examples, it would seem to gain.
    random = np.random.default_rng(1)
    found = choose_temperature(random.dirichlet(np.ones(3), 12), random.integers(0, 3, 12))
    assert found.gain < found.error


def test_few_examples_never_change_the_confidence():
    logits, labels = draw(2.5, 500)
    found = choose_temperature(to_probabilities(logits, False), labels)
    assert found.helps and not replace(found, examples=29).helps
