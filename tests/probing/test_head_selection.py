import numpy as np
import pytest

from tl_keras import probing
from tl_keras.probing import head_selection
from tl_keras.probing.head_selection import HeldOut, choose, log_losses, measure_feature_set, solve_head

GENERATOR = np.random.default_rng(1)


def make_examples(count):
    """Makes features whose first four columns tell the class, and the others nothing."""
    labels = np.arange(count) % 4
    return np.hstack([2 * np.eye(4)[labels], np.zeros((count, 4))]) + GENERATOR.normal(size=(count, 8)), labels


def feature_set(name, columns):
    return probing.FeatureSet(name, np.array(columns), np.zeros(len(columns), int))


INFORMATIVE, NOISE = feature_set("informative", range(4)), feature_set("noise", range(4, 8))


def test_held_out_probabilities_are_those_of_heads_that_have_not_seen_the_example():
    features, labels = make_examples(60)
    shuffled = GENERATOR.permutation(labels)
    result = measure_feature_set(features, shuffled, 4, INFORMATIVE, probing.make_folds(shuffled))
    assert result.loss > 0.95 * np.log(4)
    assert measure_feature_set(features, labels, 4, INFORMATIVE, probing.make_folds(labels)).loss < 1.1


def test_noise_gets_the_strongest_penalty():
    features, labels = make_examples(80)
    folds = probing.make_folds(labels)
    assert measure_feature_set(features, labels, 4, NOISE, folds).inverse_penalty == 1.0


def test_the_better_features_are_chosen_even_if_they_are_not_the_first():
    features, labels = make_examples(120)
    folds = probing.make_folds(labels)
    results = [measure_feature_set(features, labels, 4, one, folds) for one in (NOISE, INFORMATIVE)]
    assert choose(results).feature_set is INFORMATIVE


def test_of_equally_good_features_the_first_is_chosen():
    def held_out(losses):
        return HeldOut(INFORMATIVE, 1.0, np.arange(4), np.zeros((4, 2)), np.array(losses))

    simple, better = held_out([1.0, 0.2, 0.9, 0.1]), held_out([0.2, 0.9, 0.1, 0.9])
    assert choose([simple, better]) is simple
    clearly_better = held_out([0.9, 0.1, 0.8, 0.0])
    assert choose([simple, clearly_better]) is clearly_better


def test_a_solved_head_predicts_new_examples():
    features, labels = make_examples(200)
    head = solve_head(features[:100], labels[:100], 4, INFORMATIVE, 10.0)
    assert (head.probabilities(features[100:, :4]).argmax(axis=1) == labels[100:]).mean() > 0.7


def test_a_validation_set_is_a_single_fold():
    features, labels = make_examples(40)
    result = measure_feature_set(features, labels, 4, INFORMATIVE, [(np.arange(30), np.arange(30, 40))])
    np.testing.assert_array_equal(result.rows, np.arange(30, 40))
    assert result.probabilities.shape == (10, 4)


def test_a_sample_of_the_training_rows_keeps_small_classes(monkeypatch):
    monkeypatch.setattr(head_selection, "MAX_SELECTION_ROWS", 20)
    labels = np.array([0] * 500 + [1] * 3)
    rows = head_selection._sample(labels, np.arange(503), seed=0)
    assert np.bincount(labels[rows]).tolist() == [17, 3]


def test_log_losses_are_those_of_the_formula():
    probabilities = np.array([[0.5, 0.5], [0.9, 0.1]])
    np.testing.assert_allclose(log_losses(probabilities, np.array([0, 1])), -np.log([0.5, 0.1]))
    several = np.array([[1, 0], [1, 1]])
    np.testing.assert_allclose(
        log_losses(probabilities, several), [-np.log(0.5), -(np.log(0.9) + np.log(0.1)) / 2], rtol=1e-6
    )


def test_a_certain_mistake_has_a_finite_loss():
    assert log_losses(np.array([[0.0, 1.0]]), np.array([0]))[0] == pytest.approx(-np.log(1e-7))


def test_many_classes_are_solved_in_closed_form():
    labels = np.repeat(np.arange(400), 3)
    features = np.eye(400)[labels] + GENERATOR.normal(0, 0.05, size=(1200, 400))
    everything = feature_set("all", range(400))
    result = measure_feature_set(features, labels, 400, everything, probing.make_folds(labels))
    assert (result.probabilities.argmax(axis=1) == labels[result.rows]).mean() > 0.95
