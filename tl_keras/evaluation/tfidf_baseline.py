"""The honest baseline of text classification: TF-IDF and logistic regression, trained in a second."""

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
    """Trains the baseline and tests it.

    Words and pairs of words weighted by TF-IDF with sublinear counts, and logistic regression with L2 penalty 1: see
    Wang and Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification".

    Args:
        texts: list of str, or of tuples of two str, to train on.
        labels: their labels, int (n,), or multi-label 0 or 1, (n, num_classes).
        test_texts: list of str, or of tuples of two str, to test on.
        test_labels: their labels.
        class_names: sequence of num_classes names.
        multi_label: whether a text may belong to several classes, or to none.

    Returns:
        Dict as of `classification_metrics`; None where the texts hold no words or one class only.
    """
    features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    learner = LogisticRegression(max_iter=MAX_ITERATIONS)
    # scikit-learn takes a single column of ones and zeros for two classes.
    single = multi_label and len(class_names) == 1
    pipeline = make_pipeline(features, OneVsRestClassifier(learner) if multi_label and not single else learner)
    try:
        with warnings.catch_warnings():
            # Of a class that all texts or none belong to; it is predicted as such.
            warnings.filterwarnings("ignore", "Label .* is present in all training examples", UserWarning)
            warnings.filterwarnings("ignore", "Label not .* is present in all training examples", UserWarning)
            pipeline.fit(_joined(texts), labels[:, 0] if single else labels)
    except ValueError:
        # What scikit-learn raises for an empty vocabulary and for a single class.
        return None
    probabilities = np.zeros((len(test_texts), len(class_names)))
    found = pipeline.predict_proba(_joined(test_texts))
    if single:
        probabilities[:] = found[:, 1:]
    else:
        # A class that training never shows has no column.
        probabilities[:, pipeline.classes_] = found
    return classification_metrics(test_labels, probabilities, class_names, multi_label)


def compare_with_baseline(metrics, baseline, multi_label=False):
    """Says in a sentence which of two is the better one.

    Args:
        metrics: dict as of `classification_metrics`, of the model.
        baseline: the same of the baseline.
        multi_label: whether a text may belong to several classes.

    Returns:
        str.
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
