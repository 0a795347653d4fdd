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

from tl_keras.system.atomic_files import atomic_path

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
    features, last_width = read_features(job)
    if job["contender"] != "logistic_all":
        features = features[:, -last_width:]
    count = len(job["train"]["items"])
    nearest = job["contender"] == "nearest_centroid"
    classifier = make_pipeline(StandardScaler(), NearestCentroid()) if nearest else _logistic_regression(job)
    return classifier.fit(features[:count], job["train"]["labels"]).predict_proba(features[count:])


def read_features(job):
    """Reads the features of all examples; those that the file of the job lacks are computed and added to it.

    Args:
        job: dict as written by `cells.make_job`.

    Returns:
        Tuple of float (n, width), training before test examples, input side first, and the width of the last block.
    """
    items = [*job["train"]["items"], *job["test"]["items"]]
    if job["features"] is None:
        return _compute_features(job, items)
    path = Path(job["features"])
    known, features, last_width = [], [], 0
    if path.exists():
        with np.load(path) as file:
            known, features, last_width = file["items"].tolist(), list(file["features"]), int(file["last_width"])
    if missing := sorted(set(items) - set(known)):
        computed, last_width = _compute_features(job, missing)
        known, features = known + missing, [*features, *computed]
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as unfinished, open(unfinished, "wb") as file:
            np.savez(file, items=known, features=features, last_width=last_width)
    rows = {item: row for row, item in enumerate(known)}
    return np.stack([features[rows[item]] for item in items]), last_width


def _compute_features(job, items):
    # Imported here because tfidf and stored features need no TensorFlow.
    from few_label_suite import features

    if job["kind"] == "images":
        blocks = features.image_features(items, job["image_size"], job["weights"])
    else:
        blocks = features.text_features(items)
    return np.concatenate(blocks, axis=1), blocks[-1].shape[1]


def _logistic_regression(job, *first_step):
    """Builds a logistic regression whose penalty is chosen by the log-loss in 3-fold cross-validation."""
    _, counts = np.unique(job["train"]["labels"], return_counts=True)
    folds = StratifiedKFold(min(FOLDS, counts.min()), shuffle=True, random_state=job["draw"])
    pipeline = make_pipeline(*(first_step or [StandardScaler()]), LogisticRegression(max_iter=1000))
    return GridSearchCV(pipeline, PENALTIES, scoring="neg_log_loss", cv=folds)


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    np.save(settings["output"], predict_by_solved_head(settings))
