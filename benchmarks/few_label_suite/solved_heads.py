"""Contenders that train no network: classifiers on frozen features or on words.

`python -m few_label_suite.solved_heads JOB` runs one.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 3
PENALTIES = {"logisticregression__C": np.logspace(-5, 2, 8)}


def predict_by_solved_head(job):
    """Trains one of these contenders and predicts the test examples.

    Args:
        job: dict as written by `cells.make_job`.

    Returns:
        float (n, num_classes), the probabilities of the n test examples, by classes in alphabetical order.
    """
    if job["contender"] == "tfidf":
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        classifier = _logistic_regression(job, vectorizer)
        return classifier.fit(job["train"]["items"], job["train"]["labels"]).predict_proba(job["test"]["items"])
    blocks = _compute_features(job)
    features = np.concatenate(blocks, axis=1) if job["contender"] == "logistic_all" else blocks[-1]
    count = len(job["train"]["items"])
    nearest = job["contender"] == "nearest_centroid"
    classifier = make_pipeline(StandardScaler(), NearestCentroid()) if nearest else _logistic_regression(job)
    return classifier.fit(features[:count], job["train"]["labels"]).predict_proba(features[count:])


def _compute_features(job):
    # Imported here because tfidf needs no TensorFlow.
    from few_label_suite import features

    items = [*job["train"]["items"], *job["test"]["items"]]
    if job["kind"] == "images":
        return features.image_features(items, job["image_size"], job["weights"])
    return features.text_features(items)


def _logistic_regression(job, *first_step):
    """Builds a logistic regression whose penalty is chosen by the log-loss in 3-fold cross-validation."""
    _, counts = np.unique(job["train"]["labels"], return_counts=True)
    folds = StratifiedKFold(min(FOLDS, counts.min()), shuffle=True, random_state=job["draw"])
    pipeline = make_pipeline(*(first_step or [StandardScaler()]), LogisticRegression(max_iter=1000))
    return GridSearchCV(pipeline, PENALTIES, scoring="neg_log_loss", cv=folds)


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    np.save(settings["output"], predict_by_solved_head(settings))
