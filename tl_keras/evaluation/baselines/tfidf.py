"""Baseline of text classification: logistic regression on TF-IDF features."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from tl_keras.evaluation.baselines.baseline import measure_baseline
from tl_keras.evaluation.baselines.logistic import logistic_probabilities

TFIDF = "TF-IDF + logistic regression"


def tfidf_baseline(texts, labels, test_texts, test_labels, class_names, multi_label=False):
    """Trains the baseline and measures its predictions for the test texts.

    Unigrams and bigrams with sublinear TF-IDF weights, and logistic regression with L2 penalty 1; see Wang and Manning
    2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification".

    Args:
        texts: list of n training texts, each a str or a pair of str.
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        test_texts: list of test texts, likewise.
        test_labels: labels of the test texts, likewise.
        class_names: sequence of num_classes names.
        multi_label: bool, True if a text may belong to any number of classes.

    Returns:
        `Baseline`, or None if the training texts have no words or all have the same labels.
    """
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    has_words = any(map(vectorizer.build_analyzer(), _joined(texts)))
    if not has_words or len(np.unique(labels, axis=0)) == 1:
        return None

    def predict():
        features, test_features = vectorizer.fit_transform(_joined(texts)), vectorizer.transform(_joined(test_texts))
        return logistic_probabilities(features, labels, test_features, len(class_names), multi_label)

    return measure_baseline(TFIDF, predict, test_labels, class_names, multi_label)


def _joined(texts):
    return [" ".join(text) if isinstance(text, tuple) else text for text in texts]
