"""Classifiers of images and texts for scikit-learn, trained as `python -m tl_keras.train` trains."""

import contextlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError, counted
from tl_keras.estimators.training_tables import write_images, write_texts
from tl_keras.runs.trained_run import load_run
from tl_keras.tasks.registry import TASKS
from tl_keras.training.run import run_training


class _Classifier(ClassifierMixin, BaseEstimator):
    """Trains a run on a table of examples, and predicts with it.

    `_task` is the name of the task, and `_write_table` writes the examples.
    """

    def __init__(self, run=None, seed=0, flags=(), verbose=False):
        self.run = run
        self.seed = seed
        self.flags = flags
        self.verbose = verbose

    def fit(self, X, y):
        """Trains on labelled examples; some of them are held out to measure the model, see `run_.metrics`.

        Args:
            X: sequence of n examples.
            y: n labels of one type, numbers or texts.

        Returns:
            The estimator.

        Raises:
            InputError: an example or a label cannot be used.
        """
        examples, labels = list(X), column_or_1d(y, warn=True)
        check_classification_targets(labels)
        if len(examples) != len(labels):
            raise InputError(
                f"X has {counted(len(examples), 'example')} and y {counted(len(labels), 'label')}: expected as many."
            )
        quiet = contextlib.nullcontext() if self.verbose else contextlib.redirect_stdout(io.StringIO())
        self._folder = tempfile.TemporaryDirectory(prefix="tl_keras-run-") if self.run is None else None
        with tempfile.TemporaryDirectory(prefix="tl_keras-fit-") as folder, quiet:
            table = self._write_table(Path(folder), examples, [str(label) for label in labels])
            config = self._configure(table)
            names = _name_classes(config, labels)
            self.run_ = load_run(run_training(config))
        self.classes_ = np.unique(labels)
        self._columns = [self.run_.class_names.index(names[label]) for label in self.classes_.tolist()]
        return self

    def predict_proba(self, X):
        """Computes the probabilities of examples.

        Args:
            X: sequence of n examples.

        Returns:
            float32 (n, num_classes), in the order of `classes_`.

        Raises:
            InputError: an example cannot be used.
        """
        check_is_fitted(self)
        return self.run_.predict(list(X))[:, self._columns]

    def predict(self, X):
        """Predicts the label of each example.

        Args:
            X: sequence of n examples.

        Returns:
            The most probable of `classes_`, (n,).

        Raises:
            InputError: an example cannot be used.
        """
        columns = self.predict_proba(X).argmax(1)
        return self.classes_[columns]

    def _configure(self, table):
        folder = self.run or os.path.join(self._folder.name, "run")
        own = {"--task": self._task, "--data.path": table, "--run": folder, "--seed": self.seed, "--resume": "never"}
        return parse([*(str(part) for flag in own.items() for part in flag), *map(str, self.flags)])

    def __sklearn_tags__(self):
        """Describes the input to scikit-learn: a sequence of paths or texts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = False, True, True
        return tags


class ImageClassifier(_Classifier):
    """Classifies images by transfer learning, as an estimator of scikit-learn.

    Its parameters are the same as those of `TextClassifier`. Examples are paths of image files; `predict` also takes
    Pillow images and arrays.

    Args:
        run: run folder to keep, which must not hold a run; None takes a temporary one that goes with the estimator.
        seed: seed of the training, int.
        flags: further flags of `python -m tl_keras.train`, such as ["--model.backbone", "inception_v3"].
        verbose: True prints the progress of the training.

    Attributes:
        classes_: the labels, sorted.
        run_: `TrainedRun`.
    """

    _task = "image_classification"
    _write_table = staticmethod(write_images)


class TextClassifier(_Classifier):
    """Classifies texts by transfer learning, as an estimator of scikit-learn; see `ImageClassifier`."""

    _task = "text_classification"
    _write_table = staticmethod(write_texts)


def _name_classes(config, labels):
    """Maps each label to the name of its class, as the table of the examples is read."""
    records = TASKS[config.task].find_labelled(config, config.data.path)
    pairs = zip(labels.tolist(), records.labels.tolist(), strict=True)
    return {label: records.class_names[number] for label, number in pairs}
