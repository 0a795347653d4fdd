"""Decides without target labels whether an adapted model may replace the one that was trained on the source.

No validator is always right: information maximization once preferred a model that had collapsed to few classes. Two of
them must therefore agree, the source must not be forgotten, and a collapse is looked for itself.
"""

import numpy as np

MAX_SOURCE_LOSS = 0.1
"""Accuracy on held-out source examples that an adapted model may lose."""
MIN_COVERAGE = 0.5
"""Classes that are predicted for the target, as a share of those of the source, below which a model has collapsed."""
COVERAGE, REVERSE, SECOND = "class_coverage", "reverse_validation", "information_maximization"


def class_coverage(source, source_labels, target):
    """Computes how many classes are predicted for the target, as a share of those of the source labels.

    Both are effective numbers of classes, exp(entropy of the class shares): 1 if one class has everything, k if k
    classes are equally frequent.

    Args:
        source: ignored.
        source_labels: int (n,).
        target: `DomainOutputs` of m target examples.

    Returns:
        float, above 0; 1 if the shares are as even as in the source.
    """
    return _effective_classes(target.probabilities.argmax(axis=1)) / _effective_classes(source_labels)


def find_objection(scores, source_only, validator):
    """Finds a reason against an adapted model.

    Args:
        scores: dict of the scores of the adapted model: those of `VALIDATORS`, and `class_coverage`.
        source_only: those of the model as it was trained on the source.
        validator: name of the validator that chooses among several adapted models.

    Returns:
        str, such as "reverse_validation falls from 0.700 to 0.500"; None if nothing speaks against it.
    """
    for name in (REVERSE, SECOND if validator == REVERSE else validator):
        if not scores[name] >= source_only[name]:
            return _fall(name, scores, source_only)
    if scores["source_accuracy"] < source_only["source_accuracy"] - MAX_SOURCE_LOSS:
        return _fall("source_accuracy", scores, source_only)
    if scores[COVERAGE] < min(MIN_COVERAGE, source_only[COVERAGE]):
        return f"its predictions cover {scores[COVERAGE]:.0%} of the classes of the source"
    return None


def _fall(name, scores, source_only):
    return f"{name} falls from {source_only[name]:.3f} to {scores[name]:.3f}"


def _effective_classes(labels):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(np.exp(-np.sum(shares * np.log(shares))))
