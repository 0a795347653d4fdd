"""Classification, as images and texts share it: splitting, compiling, metrics, baselines and class weights."""

import contextlib
from dataclasses import replace

import numpy as np

from tl_keras import data, evaluation, models
from tl_keras.errors import InputError
from tl_keras.recipes import AUTO, FEW_LABELS
from tl_keras.tasks.base import VALIDATION_FRACTION, Task, parts_of
from tl_keras.tasks.label_writers import LABEL_WRITERS, TOP
from tl_keras.tasks.predictions_table import predicted_classes, write_predictions
from tl_keras.tasks.report_examples import count_classes, show_classes

VALIDATION_SET = (("data", "validation_fraction"),)
DECIDED_BY_AUTO = (*VALIDATION_SET, ("data", "augmentation"), ("model", "pooling"))


class ClassificationTask(Task):
    """Classifies examples of one kind; a subclass says how they are read and what reads them.

    Attributes:
        item_kind: heading of the items in what `predict` writes, such as "file".
        min_tuned_labels: number of labels from which recipe auto tries to tune the network; with fewer it would seldom
            gain anything, and could not show it.
        max_compared_labels: number of labels up to which recipe auto tunes the network by comparing examples, without
            holding any out.
        example_columns: names of the cells that `example_cells` returns.
        head_poolings: values of `model.pooling` that recipe auto tries; the last one contains the others.
    """

    item_kind: str
    min_tuned_labels: int
    max_compared_labels = 0
    head_poolings: tuple[str, ...]
    supports_auto = True
    supports_adaptation = True
    gives_probabilities = True
    headline_metrics = ("accuracy", "subset_accuracy", "macro_f1", "mean_average_precision")
    example_columns = ("name",)
    prediction_options = ("top", "min_confidence")
    writers = LABEL_WRITERS

    def defaults_for(self, config):
        """Returns the defaults without what the recipe decides: the validation set, and for auto more."""
        decided = DECIDED_BY_AUTO if config.recipe == AUTO else VALIDATION_SET if solves_head(config) else ()
        fixed = {
            part: {name: value for name, value in values.items() if (part, name) not in decided}
            for part, values in self.defaults.items()
        }
        return fixed | {"data": fixed["data"] | ({"augmentation": "none"} if config.recipe == AUTO else {})}

    def check_config(self, config):
        """Refuses a limit on images that only object detection has."""
        if config.data.max_train_images is not None:
            raise InputError("data.max_train_images is for boxes: give data.examples_per_class instead.")

    def compile_model(self, config, model, optimizer):
        """Compiles the classifier with cross-entropy and accuracy."""
        models.compile_classifier(
            model,
            optimizer,
            multi_label=config.data.multi_label,
            label_smoothing=config.model.label_smoothing,
            xla=config.xla,
        )

    def open_model(self, config, path, num_classes):
        """Opens the saved model, which returns a number for each class."""
        model = models.open_model(path)
        models.check_signature(model, self.model_inputs(config), ((num_classes,), "number"))
        return model

    def model_inputs(self, config):
        """Describes what the saved model takes, as `check_signature` expects it."""
        return models.IMAGES

    def find_pool(self, config, path):
        """Lists unlabelled examples.

        Args:
            config: `RunConfig`.
            path: path of a folder or of a file.

        Returns:
            `Records` whose labels mean nothing.

        Raises:
            InputError: the path holds no examples, or they cannot be read.
        """
        raise NotImplementedError(f"{self.name} reads no unlabelled examples.")

    def load_pool(self, config, records, image_size):
        """Loads unlabelled examples as a part of the splits; those that cannot be read are left out.

        Args:
            config: `RunConfig`.
            records: what `find_pool` returned.
            image_size: side of images in pixels; None takes the configured or usual one.

        Returns:
            Tuple of the part and a list of (name, reason) of the examples that were left out.
        """
        raise NotImplementedError(f"{self.name} reads no unlabelled examples.")

    def evaluate(self, config, predictions, examples, folder, score_threshold=None):
        """Measures probabilities, float32 (n, num_classes), and shows mistakes and, if there is one, the confusion."""
        names, multi_label = examples.class_names, config.data.multi_label
        metrics = evaluation.metrics_with_intervals(examples.labels, predictions, names, multi_label)
        self.write_mistakes(predictions, examples, folder)
        if "confusion_matrix" not in metrics:
            return metrics, []
        path = folder / "confusion_matrix.png"
        evaluation.plot_confusion_matrix(np.array(metrics["confusion_matrix"]), names, path)
        return metrics, [(evaluation.add_legend("Confusion matrix", names), path)]

    def write_predictions(self, parts, predictions, folder, score_threshold=None):
        """Writes `predictions.csv` with the splits of all examples, see `write_predictions`."""
        rows = [
            (name, self.example_labels(part), part.class_names, self.example_cells(part))
            for name, part in parts.items()
        ]
        write_predictions(folder / "predictions.csv", rows, predictions, self.example_columns)

    def report_examples(self, config, model, splits, predictions):
        """Counts the classes and adds training examples to the tested ones."""
        labels = {name: self.example_labels(part) for name, part in parts_of(splits).items()}
        sheet, note = self.show_training(config, splits.train)
        tested = self.tested_examples(config, model, splits.test, predictions)
        counts = count_classes(labels, splits.class_names)
        return replace(tested, counts=counts, sheet=sheet, sheet_note=note)

    def tested_examples(self, config, model, examples, predictions):
        """Shows the most confident mistakes and the extremes of each class."""
        labels, show = self.example_labels(examples), self.example_shower(examples, predictions)
        return evaluation.ReportExamples(
            worst=self.show_worst(config, model, examples, predictions),
            by_class=show_classes(labels, predictions, examples.class_names, show),
        )

    def show_training(self, config, examples):
        """Shows training examples as the network sees them.

        Args:
            config: `RunConfig`.
            examples: the training examples.

        Returns:
            Tuple of a tuple of `evaluation.Tile` and a sentence.
        """
        return (), ""

    def show_worst(self, config, model, examples, predictions):
        """Shows the most confident mistakes, with explanations where that is cheap.

        Args:
            config: `RunConfig`.
            model: trained model, or that of a finished run.
            examples: the examples with their labels.
            predictions: float32 (n, num_classes).

        Returns:
            Tuple of `evaluation.Tile`.
        """
        return ()

    def example_shower(self, examples, predictions):
        """Returns a function from an example's number to its `evaluation.Tile`."""
        raise NotImplementedError(f"{self.name} shows no examples.")

    def name_classes(self, config, predictions, class_names):
        """Names the most probable class of each example, or for multi-label all that are probable enough."""
        multi_label = config.data.multi_label
        names = [tuple(class_names[one] for one in predicted_classes(row, multi_label)) for row in predictions]
        return names if multi_label else [name for (name,) in names]

    def example_cells(self, part):
        """Lists what `predictions.csv` says about each example of a part, a tuple of str for each."""
        return [(name,) for name in part.names]

    def write_mistakes(self, predictions, examples, folder):
        """Writes the most confident mistakes to a file.

        Args:
            predictions: float32 (n, num_classes).
            examples: the n examples with their labels.
            folder: path to write to.
        """

    def example_labels(self, part):
        """Returns the labels of the examples of a part of the splits, int (n,) or (n, num_classes)."""
        return part.labels

    def measure_baselines(self, config, splits):
        """Trains simple models on the training examples and measures them on the test examples.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.

        Returns:
            List of `evaluation.Baseline`, that of the majority first.
        """
        labels = self.example_labels(splits.train), self.example_labels(splits.test)
        return [evaluation.majority_baseline(*labels, splits.class_names, config.data.multi_label)]

    def compare_with_baselines(self, config, splits, predictions, metrics, baselines=()):
        """Compares the network with simple models on the test examples.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.
            predictions: float32 (n, num_classes) for the test examples.
            metrics: what `evaluate` returned for them.
            baselines: further `evaluation.Baseline` to compare with.

        Returns:
            Dict of `baselines` and `verdict`, fields of `ReportExtras`.
        """
        baselines = [*self.measure_baselines(config, splits), *baselines]
        verdict = evaluation.compare_with_baselines(
            self.example_labels(splits.test), predictions, metrics, baselines, config.data.multi_label
        )
        return {"baselines": tuple(one.summary(self.headline_metrics) for one in baselines), "verdict": verdict}

    @contextlib.contextmanager
    def open_writer(self, run, stream, options):
        """Opens a writer of (item, list of (class name, probability))."""
        top = min(options.top or TOP, len(run.class_names))
        with self.writers[options.format](stream, top, self.item_kind, options.min_confidence) as write:
            yield write


def solves_head(config):
    """Returns whether the head of a run is solved, not trained; few labels then need no validation set."""
    return config.recipe == AUTO or (config.recipe == "few_shot" and config.phases is None)


def split_examples(config, records, groups):
    """Splits records as a configuration asks for it.

    Args:
        config: `RunConfig`.
        records: `Records`.
        groups: for each record a value that its duplicates share, as in `split_records`.

    Returns:
        `Records`, each assigned to "train", "validation" or "test".
    """
    settings = config.data
    return data.split_records(
        records,
        validation_fraction=_validation_fraction(config, records),
        test_fraction=settings.test_fraction,
        examples_per_class=settings.examples_per_class,
        seed=config.seed,
        groups=groups,
    )


def _validation_fraction(config, records):
    """Returns the fraction, or where the recipe leaves it open none of few labels, on which a head is solved."""
    settings = config.data
    if settings.validation_fraction is not None:
        return settings.validation_fraction
    count = np.sum(np.asarray(records.splits, object) != "test")
    if settings.examples_per_class is not None:
        count = min(count, settings.examples_per_class * len(records.class_names))
    return 0 if count <= FEW_LABELS else VALIDATION_FRACTION


def require_examples(config, splits, counts):
    """Refuses data that lack a part.

    Args:
        config: `RunConfig`. A recipe that solves the head needs no validation examples.
        splits: "images" or "texts", for the message.
        counts: dict from the name of a part to its number of examples.

    Raises:
        InputError: names the part.
    """
    for name, count in counts.items():
        if not count and not (solves_head(config) and name == "validation"):
            raise InputError(
                f"No {splits} are left for the {name} split of {config.data.path!r}: expected several {splits} of a "
                f"class, or a {name} folder or split column."
            )


def head_settings(config, class_names):
    """Collects the arguments that the builders of image and text classifiers share.

    Args:
        config: `RunConfig`.
        class_names: names of the classes.

    Returns:
        Dict of keyword arguments.
    """
    model = config.model
    return {
        "weights": model.weights,
        "weights_sha256": model.weights_sha256,
        "pooling": model.pooling,
        "head_blocks": model.head_blocks or "last",
        "dropout": model.dropout,
        "hidden_units": model.hidden_units,
        "multi_label": config.data.multi_label,
        "class_names": class_names,
    }


def class_weights(config, examples):
    """Weighs classes in inverse proportion to their frequency, if the configuration asks for it.

    Args:
        config: `RunConfig`.
        examples: training examples with int32 `labels` (n,).

    Returns:
        Dict from class index to weight, as `fit` takes it, or None.
    """
    if config.data.class_weight != "balanced":
        return None
    counts = np.bincount(examples.labels, minlength=len(examples.class_names))
    return dict(enumerate((len(examples) / (len(counts) * counts)).tolist()))


def most_probable(probabilities, class_names, top):
    """Names the most probable classes of one example.

    Args:
        probabilities: float32 (num_classes,).
        class_names: names of the classes.
        top: number of classes to name.

    Returns:
        List of (class name, probability), the most probable first.
    """
    return [(class_names[index], float(probabilities[index])) for index in np.argsort(-probabilities)[:top]]
