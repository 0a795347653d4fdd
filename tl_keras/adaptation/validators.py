"""Validators: scores of an adapted classifier on the target domain without target labels.

Each takes the outputs for labelled source examples and for unlabelled target examples and returns a number, higher is
better. No validator is always right (Musgrave et al. 2022, https://arxiv.org/abs/2208.07360, compare them): entropy and
information also reward confident wrong predictions, and the source accuracy does not depend on the target.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

NEIGHBOURHOOD_TEMPERATURE = 0.05
MAX_NEIGHBOURS = 2000


def source_accuracy(source, source_labels, target):
    """Computes the accuracy on held-out source examples, 0 to 1.

    Args:
        source: `DomainOutputs` of NumPy arrays, of n held-out source examples.
        source_labels: int (n,).
        target: `DomainOutputs` of m target examples, ignored.

    Returns:
        float.
    """
    return float(np.mean(source.probabilities.argmax(axis=1) == source_labels))


def target_entropy(source, source_labels, target):
    """Computes the confidence of the target predictions, their negative mean entropy in nats, at most 0.

    Morerio et al. 2018 (https://arxiv.org/abs/1711.10288, section 3.3). Arguments as in `source_accuracy`.
    """
    return -float(np.mean(_entropies(target.probabilities)))


def information_maximization(source, source_labels, target):
    """Computes how confident the target predictions are and how evenly they cover all classes.

    This is the mutual information of example and prediction, H(mean p) - mean H(p), in nats (Krause et al. 2010,
    "Discriminative Clustering by Regularized Information Maximization", equation 2). Arguments as in
    `source_accuracy`.
    """
    probabilities = target.probabilities
    return float(_entropies(probabilities.mean(axis=0, keepdims=True))[0] - np.mean(_entropies(probabilities)))


def soft_neighborhood_density(source, source_labels, target):
    """Computes the density of target examples among those with similar predictions.

    Saito et al. 2021 (https://arxiv.org/abs/2108.10860, equations 2 and 3): the mean entropy, in nats, of the softmax
    over the cosine similarities to all other predictions, at temperature 0.05. At most 2,000 examples are used, evenly
    spaced. Arguments as in `source_accuracy`.
    """
    rows = target.probabilities[:: -(-len(target.probabilities) // MAX_NEIGHBOURS)].astype("float64")
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = unit @ unit.T / NEIGHBOURHOOD_TEMPERATURE
    np.fill_diagonal(similarity, -np.inf)
    similarity -= similarity.max(axis=1, keepdims=True)
    shares = np.exp(similarity)
    return float(np.mean(_entropies(shares / shares.sum(axis=1, keepdims=True))))


def reverse_validation(source, source_labels, target):
    """Computes the accuracy on the source of a classifier trained on the predicted target labels, 0 to 1.

    Similar to Zhong et al. 2010 and Ganin et al. 2016 (https://arxiv.org/abs/1505.07818, section 5.1.2): a logistic
    regression is fitted to the target features and their predicted classes, and tested on the source labels. Arguments
    as in `source_accuracy`.
    """
    predicted = target.probabilities.argmax(axis=1)
    if len(np.unique(predicted)) < 2:
        return float(np.mean(source_labels == predicted[0]))
    scale = target.features.std() + 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reverse = LogisticRegression(max_iter=200).fit(target.features / scale, predicted)
    return float(reverse.score(source.features / scale, source_labels))


VALIDATORS = {
    "source_accuracy": source_accuracy,
    "target_entropy": target_entropy,
    "information_maximization": information_maximization,
    "soft_neighborhood_density": soft_neighborhood_density,
    "reverse_validation": reverse_validation,
}


def _entropies(probabilities):
    logs = np.log(np.maximum(probabilities, 1e-12))
    return -np.sum(probabilities * logs, axis=1)
