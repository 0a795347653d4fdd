"""Classification by the nearest neighbours among features: a second opinion on them that fits no weights."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

NEIGHBOURS = 5


def neighbour_accuracy(features, labels, folds):
    """Measures how often the nearest neighbours of an example have its label, by cosine distance.

    Args:
        features: float (n, num_features).
        labels: int (n,).
        folds: list of (training rows, held-out rows), at least one.

    Returns:
        float, 0 to 1: the share of held-out examples whose `NEIGHBOURS` nearest training examples, weighted by their
        inverse distance, vote for their label.
    """
    correct = []
    for train, held_out in folds:
        neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(train)), weights="distance", metric="cosine")
        neighbours.fit(features[train], labels[train])
        correct.append(neighbours.predict(features[held_out]) == labels[held_out])
    return float(np.mean(np.concatenate(correct)))
