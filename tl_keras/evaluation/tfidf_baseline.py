"""Baseline of text classification: logistic regression on TF-IDF features, trained in a second."""

import warnings

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from tl_keras.evaluation.classification import classification_metrics

BASELINE_NAME = "TF-IDF + logistic regression"
MAX_ITERATIONS = 1000


def tfidf_baseline(texts, labels, test_texts, test_labels, class_names, multi_label=False):
    """Trains the baseline and computes its test metrics.

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
        dict as of `classification_metrics`, or None if the training texts have no words or a single class.
    """
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    classifier = LogisticRegression(max_iter=MAX_ITERATIONS)
    # scikit-learn expects a vector, not a column, for a single label.
    single = multi_label and len(class_names) == 1
    pipeline = make_pipeline(vectorizer, OneVsRestClassifier(classifier) if multi_label and not single else classifier)
    try:
        with warnings.catch_warnings():
            # A label that all texts or no text has is predicted as a constant.
            warnings.filterwarnings("ignore", "Label .* is present in all training examples", UserWarning)
            pipeline.fit(_joined(texts), labels[:, 0] if single else labels)
    except ValueError:
        # scikit-learn's error for an empty vocabulary or a single class.
        return None
    probabilities = np.zeros((len(test_texts), len(class_names)))
    predicted = pipeline.predict_proba(_joined(test_texts))
    if single:
        probabilities[:] = predicted[:, 1:]
    else:
        # A class without training texts has no column.
        probabilities[:, pipeline.classes_] = predicted
    return classification_metrics(test_labels, probabilities, class_names, multi_label)


def compare_with_baseline(metrics, baseline, multi_label=False):
    """Describes in a sentence whether the model beats the baseline.

    Args:
        metrics: dict as of `classification_metrics`, of the model.
        baseline: dict as of `classification_metrics`, of the baseline.
        multi_label: bool, True to compare macro-F1 instead of accuracy.

    Returns:
        str, one sentence.
    """
    key, name = ("macro_f1", "macro-F1") if multi_label else ("accuracy", "accuracy")
    gain = round(100 * (metrics[key] - baseline[key]), 1)
    if gain > 0:
        return f"The network is {gain:.1f} points of {name} above {BASELINE_NAME}."
    if gain == 0:
        return f"{BASELINE_NAME} reaches the same {name} as the network at a fraction of the cost."
    return f"{BASELINE_NAME} wins: it is {-gain:.1f} points of {name} above the network, at a fraction of the cost."


def _joined(texts):
    return [" ".join(text) if isinstance(text, tuple) else text for text in texts]
