"""Logistic regression whose training examples may lack a class."""

import contextlib
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

MAX_ITERATIONS = 1000


def logistic_probabilities(features, labels, test_features, num_classes, multi_label=False, strength=1.0):
    """Trains logistic regression with an L2 penalty and predicts test examples.

    Args:
        features: float (n, channels), an array or a sparse matrix of SciPy.
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1, which trains one regression a label.
        test_features: float (m, channels), likewise.
        num_classes: number of classes.
        multi_label: bool, True if an example may belong to any number of classes.
        strength: `C` of scikit-learn, the inverse of the penalty's weight.

    Returns:
        float64 (m, num_classes), 0 to 1; a class without training examples gets 0.
    """
    if multi_label:
        columns = [logistic_probabilities(features, one, test_features, 2, strength=strength) for one in labels.T]
        return np.stack([column[:, 1] for column in columns], axis=1)
    probabilities, present = np.zeros((test_features.shape[0], num_classes)), np.unique(labels)
    if len(present) == 1:
        probabilities[:, present] = 1
    else:
        with without_small_class_warnings():
            classifier = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS).fit(features, labels)
        probabilities[:, present] = classifier.predict_proba(test_features)
    return probabilities


@contextlib.contextmanager
def without_small_class_warnings():
    """Suppresses the warnings of scikit-learn on classes of one example."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
        warnings.filterwarnings("ignore", "self.within_class_std_dev_ has", UserWarning)
        yield
