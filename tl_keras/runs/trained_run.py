"""A finished run, opened for use: `tl_keras.load_run("runs/flowers").predict(images)`."""

import contextlib
import functools
import os
from pathlib import Path

from tl_keras import data, models, transfer
from tl_keras.config.derived import derive
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError, counted, quoted, unknown_name
from tl_keras.runs.evaluations import evaluate_run
from tl_keras.runs.exports import export_run
from tl_keras.runs.run_folder import RunFolder, resume_command
from tl_keras.system import devices
from tl_keras.tasks.base import ExplanationOptions
from tl_keras.tasks.registry import TASKS
from tl_keras.tasks.unsure import AUTO, UNSURE, check_unsure, parse_confidence


class TrainedRun:
    """Holds the model of a finished run and what is needed to use it.

    Args:
        folder: path of the run folder.
        flags: list of flags that override settings of the run, such as "--data.label_column=kind".

    Attributes:
        folder: path of the run folder.
        config: `RunConfig` of the run.
        class_names: names of the classes, in the order of the model's outputs.
    """

    def __init__(self, folder, flags=()):
        self.folder = Path(folder)
        self.config = parse(["--config", str(self.folder / "config.yaml"), *flags])
        self.class_names = models.read_class_names(self.folder / "model.keras")
        if self.class_names is None:
            raise InputError(f"The model in {str(self.folder)!r} has no class names: it does not belong to a run.")
        self._embedders = {}

    def __repr__(self):
        """Names the folder, the task and the number of classes."""
        return f"TrainedRun({str(self.folder)!r}, {self.config.task}, {counted(len(self.class_names), 'class')})"

    @functools.cached_property
    def model(self):
        """The plain `keras.Model`, loaded at its first use."""
        devices.load_tensorflow()
        return self.task.open_model(self.config, self.folder / "model.keras", len(self.class_names))

    @functools.cached_property
    def batch_size(self):
        """Number of examples that are computed at once: that of the training, or fewer if the memory is small."""
        # First, because the name behind `models` loads TensorFlow, too, and with it the notes that it prints.
        model = self.model
        return models.affordable_batch(model, self.config.data.batch_size)

    @property
    def metrics(self):
        """Test metrics of the run, a dict."""
        return RunFolder(self.folder).read_json("metrics.json")

    @property
    def score_threshold(self):
        """Score from which a detection counts, 0 to 1; None for a run without boxes."""
        threshold = self.metrics.get("score_threshold")
        if threshold is None and "score_threshold" not in self.task.prediction_options:
            return None
        if not (_is_number(threshold) and 0 <= threshold <= 1):
            raise InputError(
                f"metrics.json of the run in {str(self.folder)!r} has the score_threshold {quoted(threshold)}, "
                "expected a number from 0 to 1: copy the run again."
            )
        return threshold

    @property
    def min_confidence(self):
        """Confidence below which predictions should count as unsure, 0 to 1; None where the run recommends none."""
        confidence = self.metrics.get("confidence") or {}
        value = confidence.get("min_confidence") if isinstance(confidence, dict) else confidence
        if value is not None and not (_is_number(value) and 0 <= value <= 1):
            raise InputError(
                f"metrics.json of the run in {str(self.folder)!r} has the min_confidence {quoted(value)}, expected a "
                "number from 0 to 1: copy the run again."
            )
        return value

    def find_min_confidence(self, value):
        """Finds the confidence below which examples are called unsure, without loading the model.

        Args:
            value: float, 0 to 1; "auto" takes the recommended one.

        Returns:
            float.

        Raises:
            InputError: the value is out of range, the run recommends none, or its examples cannot be called unsure.
        """
        check_unsure(self.class_names, self.config.data.multi_label)
        if (value := parse_confidence(value)) != AUTO:
            return value
        if self.min_confidence is None:
            raise InputError(
                f"--min_confidence {AUTO}: the run in {str(self.folder)!r} recommends none, see its report: give a "
                "number, such as 0.8."
            )
        return self.min_confidence

    @property
    def history(self):
        """Dict from metric name to its value in each epoch of the training."""
        return RunFolder(self.folder).read_json("history.json")

    @property
    def image_size(self):
        """Side in pixels of the square images that the model takes; runs on texts have none."""
        return self.model.input_shape[1]

    @property
    def task(self):
        """`Task` of the run."""
        return TASKS[self.config.task]

    def predict(self, examples):
        """Predicts examples in memory.

        Args:
            examples: images as paths, a folder, Pillow images or arrays with values from 0 to 255, one or many of any
                sizes; or texts, one or a list of str, or for pairs of tuples of two str.

        Returns:
            For a classifier the probabilities, float32 (n, num_classes), in the order of `class_names`; for a detector
            a list of n dicts: `boxes`, float (m, 4) in pixels of the image, `scores`, float (m,), and `labels`, int
            (m,), indices into `class_names`.

        Raises:
            InputError: the examples have the wrong form.
        """
        with self._computing() as model:
            return self.task.checked(self.task.predict_new(self._affordable, model, examples), self.class_names)

    def classify(self, examples, min_confidence=None):
        """Names the class of each example in memory.

        Args:
            examples: as in `predict`.
            min_confidence: probability of the most probable class, 0 to 1, below which an example is called "unsure";
                "auto" takes the one that the run recommends; None names a class for each example.

        Returns:
            List of n class names; for several labels per example of n tuples of those with a probability of at least
            0.5.

        Raises:
            InputError: the examples have the wrong form, the run detects objects, or the run recommends no confidence.
        """
        if min_confidence is not None:
            min_confidence = self.find_min_confidence(min_confidence)
        predictions = self.predict(examples)
        names = self.task.name_classes(self.config, predictions, self.class_names)
        if min_confidence is None:
            return names
        return [name if row.max() >= min_confidence else UNSURE for name, row in zip(names, predictions, strict=True)]

    def embed(self, examples, block=None):
        """Computes the features of examples at a block, one vector for each.

        Args:
            examples: as in `predict`.
            block: name of a block before the head; None takes what the head of a classifier reads, or the last block
                of the backbone of a detector.

        Returns:
            float32 (n, channels): the mean over the positions of an image, or over the tokens of a text.

        Raises:
            InputError: the block is unknown or returns several tensors, or the examples have the wrong form.
        """
        if block is not None and not isinstance(block, str):
            raise InputError(f"run.embed takes the name of one block: got {quoted(block)}.")
        if block not in self._embedders:
            self._embedders[block] = transfer.embedding_model(self.model, block, self.task.new_blocks)
        with self._computing():
            return self.task.embed(self._affordable, self._embedders[block], examples)

    def export(self, format="all", quantize=None, output=None):
        """Exports the model to other formats, see `tl_keras.runs.exports.export_run`."""
        return export_run(self, format, quantize, output)

    def evaluate(self, data=None, split=None, output=None):
        """Measures the model on its own test split or on other labelled data.

        Args:
            data: labelled data in any form that training accepts; None tests on a split of the run.
            split: "train", "validation" or "test", or "all" of other data; None takes the test split.
            output: folder that plots and tables are written to; None takes one in the run folder, in `evaluations`.

        Returns:
            Dict of the metrics with their intervals, as in `metrics.json`.

        Raises:
            InputError: the data cannot be used.
        """
        return evaluate_run(self, data, output, split).read_json("metrics.json")

    def explain(self, examples, class_name=None, max_boxes=None):
        """Explains predictions: maps over images and detections, integrated gradients over the words of texts.

        Args:
            examples: as in `predict`.
            class_name: the class to explain; None takes the predicted class of each example, or the detections of all
                classes from the score threshold of the run on.
            max_boxes: detections of an image that are explained, the most confident first, at least 1; None takes 3.
                Only runs that detect objects accept it.

        Returns:
            List of n explanations. A classifier's have `predicted`, `probability`, `class_name`, `class_probability`
            and, for images, `image`, uint8 (side, side, 3), and `heat_map`, float32 (height, width), 0 to 1; for texts
            `words`, a list of (word, attribution), `baseline_probability`, `gap` and `is_complete`. A detector's have
            `image` and `detections`, a list with `class_name`, `score`, `box`, in pixels of the given image, and
            `heat_map`.

        Raises:
            InputError: the class is unknown, the examples have the wrong form, or `max_boxes` does not fit.
        """
        options = self.explanation_options(class_name, max_boxes)
        with self._computing() as model:
            return self.task.explain(self._affordable, model, examples, self.class_names, options)

    def explanation_options(self, class_name=None, max_boxes=None):
        """Checks what to explain, without loading the model.

        Args:
            class_name: as in `explain`.
            max_boxes: as in `explain`.

        Returns:
            `ExplanationOptions`.

        Raises:
            InputError: the class is unknown, or `max_boxes` does not fit.
        """
        number = None if class_name is None else data.find_class(class_name, self.class_names)
        if class_name is not None and number is None:
            raise unknown_name("class", class_name, self.class_names)
        if self.task.gives_probabilities:
            if max_boxes is not None:
                raise InputError(
                    f"max_boxes is for runs that detect objects, this is one of {self.task.name}: leave it out."
                )
            return ExplanationOptions(number)
        max_boxes = ExplanationOptions.max_boxes if max_boxes is None else max_boxes
        if not isinstance(max_boxes, int) or max_boxes < 1:
            raise InputError(f"max_boxes is {quoted(max_boxes)}, expected a whole number of at least 1, such as 3.")
        return ExplanationOptions(number, self.score_threshold or 0.0, max_boxes)

    def predict_set(self, examples):
        """Predicts what the task's `load_data` or `load_test_data` returned, in the form that its `evaluate` takes."""
        with self._computing() as model:
            return self.task.checked(self.task.predict(model, examples, self.batch_size), self.class_names)

    def predict_items(self, items, options):
        """Predicts what the task's `find_items` returned, see `Task.predict_items`."""
        with self._computing():
            yield from self.task.predict_items(self, items, options)

    @functools.cached_property
    def _affordable(self):
        """The configuration with the number of examples at once that the memory affords."""
        return derive(self.config, data=derive(self.config.data, batch_size=self.batch_size))

    @contextlib.contextmanager
    def _computing(self):
        """Yields the model; what its layers raise becomes an `InputError`."""
        # First, as above.
        model = self.model
        with models.computing():
            yield model


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def load_run(folder, flags=()):
    """Opens a finished run, which may come from a stranger: nothing in the folder is executed.

    Args:
        folder: path of the run folder.
        flags: list of flags that override settings of the run, such as "--data.label_column=kind".

    Returns:
        `TrainedRun`.

    Raises:
        InputError: the folder is not that of a run, the run is not finished, or its files have changed since.
    """
    folder = Path(folder)
    if not os.path.isfile(folder / "config.yaml"):
        raise InputError(f"{str(folder)!r} is not a run folder: give one that `python -m tl_keras.train` made.")
    run = RunFolder(folder)
    if not run.finished:
        raise InputError(f"The run in {str(folder)!r} is not finished: resume it with `{resume_command(folder)}`.")
    run.require_unchanged()
    return TrainedRun(folder, flags)
