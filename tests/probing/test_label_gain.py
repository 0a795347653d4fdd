import numpy as np
import pytest

from tl_keras import probing
from tl_keras.probing.label_gain import predict_label_gain

CLASSES = 4
LABELS = np.arange(400) % CLASSES


def learner(error):
    """Returns a function that is wrong about a share of the held-out rows, `error` of the number of training rows."""

    def predict(train, held_out):
        wrong = np.random.default_rng(len(train)).random(len(held_out)) < error(len(train))
        return np.where(wrong, (LABELS[held_out] + 1) % CLASSES, LABELS[held_out])

    return predict


def test_a_falling_error_is_continued():
    gain = predict_label_gain(LABELS, CLASSES, probing.make_folds(LABELS), learner(lambda count: 4 * count**-0.5))
    expected = 4 * 400**-0.5 - 4 * 500**-0.5
    assert gain.mistakes > 10
    assert gain.labels == 100
    assert gain.low < expected < gain.high


def test_more_labels_bring_nothing_where_the_error_stays():
    gain = predict_label_gain(LABELS, CLASSES, probing.make_folds(LABELS), learner(lambda count: 0.3))
    assert 0 <= gain.low <= gain.high < 0.02


def test_without_mistakes_nothing_is_predicted():
    folds = probing.make_folds(LABELS)
    assert predict_label_gain(LABELS, CLASSES, folds, learner(lambda count: count < 100)) is None


@pytest.mark.parametrize(("count", "expected"), [(400, 100), (100, 50), (40, 20)])
def test_the_curve_limits_the_number_of_labels(count, expected):
    labels = LABELS[:count]
    gain = predict_label_gain(labels, CLASSES, probing.make_folds(labels), learner(lambda count: 0.2))
    assert gain.labels == expected


@pytest.mark.parametrize("count", [12, 2400])
def test_too_few_and_very_many_labels_give_no_prediction(count):
    labels = np.arange(count) % CLASSES
    folds = probing.make_folds(labels)
    assert predict_label_gain(labels, CLASSES, folds, None) is None
    assert predict_label_gain(labels, CLASSES, [], None) is None


def test_parts_hold_each_class_and_models_see_no_held_out_row():
    seen = []

    def predict(train, held_out):
        seen.append((train, held_out))
        return LABELS[held_out]

    predict_label_gain(LABELS, CLASSES, probing.make_folds(LABELS), predict)
    assert all(set(LABELS[train]) == set(range(CLASSES)) for train, _ in seen)
    assert not any(np.intersect1d(train, held_out).size for train, held_out in seen)
    assert [len(train) for train, _ in seen[::3]] == [40, 80, 160, 320]
