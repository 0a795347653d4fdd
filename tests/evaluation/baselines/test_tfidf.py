import numpy as np
import pytest

from tl_keras.evaluation.baselines.tfidf import TFIDF, tfidf_baseline

TEXTS = ["good film", "very good", "a good one", "bad film", "very bad", "a bad one"]
LABELS = np.array([1, 1, 1, 0, 0, 0])
NAMES = ("negative", "positive")


def test_discriminative_words_are_learned():
    baseline = tfidf_baseline(TEXTS, LABELS, ["so good", "so bad"], [1, 0], NAMES)
    assert baseline.name == TFIDF
    assert baseline.metrics["accuracy"] == 1
    assert baseline.metrics["examples"] == 2


def test_both_texts_of_a_pair_are_used():
    pairs = [("it is", text) for text in TEXTS]
    assert tfidf_baseline(pairs, LABELS, [("so", "good"), ("so", "bad")], [1, 0], NAMES).metrics["accuracy"] == 1


def test_multi_label_texts():
    labels = np.stack([LABELS, 1 - LABELS], axis=1)
    baseline = tfidf_baseline(TEXTS, labels, ["good", "bad"], [[1, 0], [0, 1]], ("liked", "hated"), multi_label=True)
    assert baseline.metrics["macro_f1"] == 1


def test_multi_label_with_a_single_class():
    baseline = tfidf_baseline(TEXTS, LABELS[:, None], ["good", "bad"], [[1], [0]], ("liked",), multi_label=True)
    assert baseline.metrics["macro_f1"] == 1
    assert tfidf_baseline(TEXTS, 0 * LABELS[:, None], ["good"], [[0]], ("liked",), multi_label=True) is None


def test_a_class_without_training_texts_has_probability_zero():
    baseline = tfidf_baseline(TEXTS, LABELS * 2, ["good", "bad"], [2, 0], ("negative", "mixed", "positive"))
    assert baseline.metrics["accuracy"] == 1
    assert not baseline.probabilities[:, 1].any()


@pytest.mark.parametrize(("texts", "labels"), [(["?", "!"], [0, 1]), (["good", "very good"], [1, 1])])
def test_texts_without_words_or_with_one_class_give_none(texts, labels):
    assert tfidf_baseline(texts, labels, ["good"], [1], NAMES) is None
