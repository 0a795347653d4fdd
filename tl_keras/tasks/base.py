"""The interface that the verbs use to load data, train, test, save and predict, whatever the task is."""

import hashlib
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from tl_keras import data, evaluation, models, recipes
from tl_keras.errors import InputError
from tl_keras.models.images.backbones import HUB_PREFIX
from tl_keras.models.images.hub_folders import check_hub_folder

VALIDATION_FRACTION = 0.15
"""Fraction of the examples that validates a model where nothing else is configured."""


@dataclass(frozen=True)
class PredictionOptions:
    """Holds the options of `python -m tl_keras.predict` that depend on the task; None where they were not given."""

    format: str = "table"
    """Key of the task's `writers`."""
    files: bool | None = None
    """All arguments are files or folders of texts, and none is a text."""
    path_column: str | None = None
    """Column of the paths of images in tables."""
    text_column: str | None = None
    """Column of the texts in tables."""
    second_text_column: str | None = None
    """Column of the second texts of pairs in tables."""
    top: int | None = None
    """Number of classes to name for each example, at least 1."""
    min_confidence: float | None = None
    """Probability of the most probable class below which an example is called unsure, 0 to 1."""
    score_threshold: float | None = None
    """Lowest score of a detection that is shown, 0 to 1."""
    annotated: str | None = None
    """Folder for copies of the images with the detections drawn in."""


@dataclass(frozen=True)
class ExplanationOptions:
    """Holds what `explain` explains."""

    number: int | None = None
    """Index of the class to explain; None takes the predicted class of each example, or detections of all classes."""
    score_threshold: float = 0.0
    """Score from which detections of all classes count, 0 to 1."""
    max_boxes: int = 3
    """Detections of an image that are explained, the most confident first."""


@dataclass(frozen=True)
class ReportExtras:
    """Holds what a task adds to the report of a run."""

    metrics: dict = field(default_factory=dict)
    """Further metrics, written to metrics.json after those of `evaluate`."""
    notes: tuple[str, ...] = ()
    """Sentences on the data, shown below the metrics."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(name, reason) of each file that was left out."""
    mistakes: tuple[dict, ...] = ()
    """dict(text, true, predicted, probability) of misclassified texts."""
    baselines: tuple[dict, ...] = ()
    """dict(name, seconds, metrics, intervals) of each simple model, measured on the same test examples."""
    verdict: tuple[str, ...] = ()
    """Sentences on the comparison with the baselines."""


class Task(ABC):
    """Defines one kind of problem: its data, its model, its metrics and its predictions.

    A task holds no state. `config` is always the `RunConfig` as the user gave it: `config.data.batch_size` counts the
    examples of one device, `global_batch_size` those of a step. A new task is a subclass and an entry in `TASKS`.

    Attributes:
        name: key in `TASKS`, and value of `RunConfig.task`.
        defaults: dict from a part of the configuration, such as "data", to a dict from field to the value that null
            stands for.
        unused_settings: dict from a part to the tuple of its fields that have no effect, or None for the whole part.
        augmentations: accepted values of `data.augmentation`.
        named_weights: values of `model.weights` that are not paths.
        accepts_backbone_folders: whether `model.backbone` may be the path of a folder.
        supports_auto: whether recipe "auto" can solve heads on the features of its backbones.
        supports_adaptation: whether the model can be adapted to a target domain, see `find_target`.
        takes_texts: whether its examples are texts, not images.
        supports_masked_pretraining: whether an encoder can guess hidden words of the target first.
        gives_probabilities: whether `predict` returns probabilities of classes, which can be calibrated.
        has_batch_norm: whether its networks have batch normalization, which some methods of adaptation change.
        pads_batches: whether devices without an example of the last batch may get a row of weight zero in its place.
        head_learning_rate: peak rate of a phase that trains the head alone, where a recipe chooses it.
        new_blocks: blocks without pretrained weights.
        loss_ranks_epochs: whether the epoch with the lowest val_loss is the best one.
        step_budget_factor: multiple of the optimizer steps, and of the maximum of epochs, that recipes plan.
        headline_metrics: keys of the metrics that are printed after training, as far as they are there.
        result_files: files that `evaluate` and `preview` write, in the order in which they are listed.
        usage: arguments of `predict` after the run folder, as the last line of a training suggests them.
        prediction_options: fields of `PredictionOptions` that it uses, besides `format`.
        writers: dict whose keys are the formats of `predict`; `open_writer` alone uses the values.
    """

    name: str
    defaults = {}
    unused_settings = {}
    augmentations = ("none",)
    named_weights = ("none",)
    accepts_backbone_folders = False
    supports_auto = False
    supports_adaptation = False
    takes_texts = False
    supports_masked_pretraining = False
    gives_probabilities = False
    has_batch_norm = True
    pads_batches = True
    head_learning_rate = recipes.HEAD_RATE
    new_blocks = ("head",)
    loss_ranks_epochs = True
    step_budget_factor = 1
    headline_metrics = ()
    result_files = ()
    usage = "FILE_OR_FOLDER"
    prediction_options = ()
    writers = {}

    # The configuration

    def defaults_for(self, config):
        """Returns `defaults`, completed by what depends on other settings.

        Args:
            config: `RunConfig`, not yet completed.
        """
        return self.defaults

    @abstractmethod
    def backbones(self, config):
        """Lists the accepted names of `model.backbone`, the recommended one first."""

    def has_one_class(self, config):
        """Returns whether `predict` gives probabilities of classes that exclude each other.

        Args:
            config: `RunConfig`.
        """
        return self.gives_probabilities and not config.data.multi_label

    def weights(self, config):
        """Lists the values of `model.weights` that need no file, the default first."""
        return self.named_weights

    def installed_backbones(self, config):
        """Lists the backbones whose weights need no model hub."""
        return self.backbones(config)[:1]

    def check_config(self, config):  # noqa: B027 (optional)
        """Refuses settings that the task cannot use.

        Args:
            config: `RunConfig`, completed.

        Raises:
            InputError: names the setting, and what to give instead.
        """

    def check_sources(self, config):
        """Checks what a run reads, as far as that is possible without data and without TensorFlow.

        Args:
            config: `RunConfig` of a run that will be trained. A finished one does not need its old weights any more.

        Raises:
            InputError: a local file of weights does not exist, or the folder of a preset has no network.
        """
        backbone = config.model.backbone
        if backbone.startswith(HUB_PREFIX) and not self.accepts_backbone_folders:
            check_hub_folder(backbone.removeprefix(HUB_PREFIX), needs_converter=config.model.weights != "none")
        if config.model.weights not in self.named_weights:
            models.find_weight_file(config.model.weights)

    def known_blocks(self, config):
        """Lists the blocks of the model, the head last, or returns None if only the model itself tells them."""
        return None

    def network(self, config):
        """Returns a heading for the model card and the name of the network, two str."""
        return "Backbone", os.path.basename(config.model.backbone)

    # Data

    def find_labelled(self, config, path):
        """Lists labelled examples without reading images.

        Args:
            config: `RunConfig`.
            path: data in any form that `data.path` accepts.

        Returns:
            `Records`.

        Raises:
            InputError: the data are missing or cannot be used.
        """
        raise NotImplementedError(f"{self.name} does not list its examples.")

    @abstractmethod
    def load_data(self, config):
        """Loads, checks and splits the data of a run.

        Args:
            config: `RunConfig`.

        Returns:
            An object with `train`, `validation`, `test` and `class_names`; none of the three parts is empty. The length
            of a part is its number of training rows, `count` its number of examples.

        Raises:
            InputError: the data cannot be used.
        """

    @abstractmethod
    def describe(self, config, splits):
        """Describes the data of a run in one line.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.
        """

    def preview(self, config, splits, folder):  # noqa: B027 (optional)
        """Writes what helps to check the training data by eye.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.
            folder: path of the run folder.
        """

    def resized_for(self, run, splits):
        """Returns the data of a finished run as its model takes them.

        Args:
            run: `TrainedRun`.
            splits: what `load_data` returned for its configuration.
        """
        return splits

    @abstractmethod
    def load_test_data(self, run, path, split=None):
        """Loads other labelled data to test a finished run on.

        Args:
            run: `TrainedRun`. Its model is loaded only once the data turned out to be usable.
            path: data in any form that `data.path` accepts.
            split: the split to take, as in `choose_test_examples`.

        Returns:
            What `predict` and `evaluate` take.

        Raises:
            InputError: the data cannot be used, or have a class that the model does not know.
        """

    def count(self, part):
        """Counts the examples of one part of the splits."""
        return len(part)

    def list_counts(self, splits):
        """Lists the number of examples in each part, such as "24 training, 6 validation, 6 test"."""
        counts = {name: self.count(part) for name, part in parts_of(splits).items()}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)

    @abstractmethod
    def content(self, name, part):
        """Yields the bytes that identify one part of the splits.

        Args:
            name: "training", "validation" or "test".
            part: that part.
        """

    def fingerprint(self, splits):
        """Identifies the data of a run, so that a resumed run can refuse other data.

        Args:
            splits: as `load_data` returns them.

        Returns:
            Dict of the numbers of examples and classes, `sha256`, the digest of names, labels and content, and
            `digest_version`.
        """
        digest = hashlib.sha256(repr(splits.class_names).encode())
        for name, part in parts_of(splits).items():
            for content in self.content(name, part):
                digest.update(content)
        counts = {name: self.count(part) for name, part in parts_of(splits).items()}
        digests = {"sha256": digest.hexdigest(), "digest_version": data.digest_version(splits.train)}
        return counts | {"classes": len(splits.class_names)} | digests

    def candidate_sizes(self, config, splits):
        """Lists the image sizes between which recipe auto chooses; an empty list where there is no choice."""
        return []

    def find_target(self, config, class_names):
        """Lists the examples of the target domain.

        Args:
            config: `RunConfig` with `adaptation.target`.
            class_names: classes of the source.

        Returns:
            `Records`.
        """
        raise NotImplementedError(f"{self.name} cannot be adapted to a target domain.")

    def load_target(self, config, records, splits):
        """Loads the examples of the target domain in the form of those of the source.

        Args:
            config: `RunConfig`.
            records: `Records`, each assigned to a split.
            splits: those of the source.

        Returns:
            Splits as `load_data` returns them; parts may be empty.
        """
        raise NotImplementedError(f"{self.name} cannot be adapted to a target domain.")

    # Model

    @abstractmethod
    def build_model(self, config, splits):
        """Builds the model for the classes and the size of the data, not compiled.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.

        Returns:
            `keras.Model` whose layers are named BLOCK.LAYER.
        """

    @abstractmethod
    def compile_model(self, config, model, optimizer):
        """Compiles the model, or the part of it behind cached activations.

        Args:
            config: `RunConfig`.
            model: what `build_model` returned, or its last part.
            optimizer: Keras optimizer.
        """

    @abstractmethod
    def training_inputs(self, config, splits, first_epoch, features=None, num_replicas=1):
        """Prepares the arguments of `fit`.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.
            first_epoch: epoch of the run, counted from 0, that the data begin with.
            features: `Features`, cached activations to train on in place of the examples; None trains on the examples.
            num_replicas: devices that share a step.

        Returns:
            Dict of `x`, `shuffle`, `steps_per_epoch`, `validation_data`, None without validation examples, and perhaps
            `class_weight`.
        """

    def activation_sources(self, config, splits, num_replicas=1):
        """Returns the inputs of the frozen part of a model, for caching its activations.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.
            num_replicas: devices that share a step.

        Returns:
            Tuple of the source of the training and of the validation examples; None if activations cannot be cached.
        """
        return None

    def save_model(self, config, model, folder):
        """Saves the trained model as `model.keras`.

        Args:
            config: `RunConfig`.
            model: what `build_model` returned, trained.
            folder: path of the run folder.
        """
        models.save_model(model, folder / "model.keras")

    def open_model(self, config, path, num_classes):
        """Opens the saved model of a run, which may come from a stranger.

        Args:
            config: `RunConfig`.
            path: the `.keras` file.
            num_classes: number of the class names in the file.

        Returns:
            Uncompiled `keras.Model`.

        Raises:
            InputError: the file is damaged or unsafe, or the model takes or returns other tensors than the task needs.
        """
        return models.open_model(path)

    # Results

    @abstractmethod
    def predict(self, model, examples, batch_size):
        """Predicts examples in their order.

        Args:
            model: what `build_model` returned or `open_model` opened.
            examples: a part of the splits, or what `load_test_data` returned.
            batch_size: examples computed at once.

        Returns:
            Predictions in the form that `evaluate` takes.
        """

    def checked(self, predictions, class_names):
        """Refuses predictions of a stranger's model that do not fit its class names; `predict` has checked the rest.

        Args:
            predictions: what `predict` or `predict_new` returned.
            class_names: names of the classes of the run.

        Returns:
            The same.

        Raises:
            InputError: the model is damaged.
        """
        return predictions

    def measure_phase(self, config, model, splits):
        """Measures a model after a phase on the validation examples, where the loss says little.

        Args:
            config: `RunConfig`.
            model: what `build_model` returned.
            splits: what `load_data` returned.

        Returns:
            Dict from the name of a metric to its value, to print and log; empty by default.
        """
        return {}

    def choose_threshold(self, config, model, splits):
        """Chooses the score from which a prediction counts, on the validation examples.

        Args:
            config: `RunConfig`.
            model: trained model.
            splits: as `load_data` returns them.

        Returns:
            A score from 0 to 1, or None if the task needs none.
        """
        return None

    @abstractmethod
    def evaluate(self, config, predictions, examples, folder, score_threshold=None):
        """Measures predictions and shows the mistakes.

        Args:
            config: `RunConfig`.
            predictions: what `predict` returned.
            examples: the examples with their ground truth.
            folder: path that plots and tables are written to.
            score_threshold: what `choose_threshold` returned; None chooses it on these examples, if the task needs one.

        Returns:
            Tuple of the metrics, a dict ready for JSON that holds `examples`, and a list of (caption, path of a plot).
        """

    def write_predictions(self, parts, predictions, folder, score_threshold=None):  # noqa: B027 (optional)
        """Writes `predictions.csv`, the predictions of the test examples, where they fit into a table.

        Args:
            parts: dict from the name of a split to its examples; the last ones are the test examples.
            predictions: what `predict` returned for them.
            folder: path to write to.
            score_threshold: what `choose_threshold` returned.
        """

    def report_extras(self, config, splits, predictions, metrics, baselines=()):
        """Collects what else the report shows.

        Args:
            config: `RunConfig`.
            splits: as `load_data` returns them.
            predictions: what `predict` returned for the test examples.
            metrics: what `evaluate` returned for them.
            baselines: further `evaluation.Baseline` to compare with.

        Returns:
            `ReportExtras`.
        """
        return ReportExtras()

    def report_examples(self, config, model, splits, predictions):
        """Collects the examples that the report of a training shows: `tested_examples`, and those of the training.

        Args:
            config: `RunConfig`.
            model: trained model.
            splits: as `load_data` returns them.
            predictions: what `predict` returned for the test examples.

        Returns:
            `evaluation.ReportExamples`.
        """
        return evaluation.ReportExamples()

    def tested_examples(self, config, model, examples, predictions):
        """Collects the tested examples that a report shows.

        Args:
            config: `RunConfig`.
            model: trained model, or that of a finished run.
            examples: examples with their ground truth.
            predictions: what `predict` returned for them.

        Returns:
            `evaluation.ReportExamples`.
        """
        return evaluation.ReportExamples()

    def card_facts(self, config, model):
        """Describes the model for its model card.

        Args:
            config: `RunConfig`.
            model: trained model.

        Returns:
            Dict of arguments of `write_model_card`, such as `summary`, sentences on the model and its inputs.
        """
        return {"summary": self.__doc__.splitlines()[0]}

    def raw_inputs(self, config, examples):
        """Returns examples as the saved model takes them, so that they can be given to an export of it.

        Args:
            config: `RunConfig`.
            examples: part of what `load_data` returned.

        Returns:
            Dict from the name of an input to n values: images, float32 (n, side, side, 3); or a list of n str.
        """
        return {"images": data.read_images(examples.images, np.arange(len(examples))).astype("float32")}

    # New examples

    @abstractmethod
    def predict_new(self, config, model, examples):
        """Predicts examples in memory.

        Args:
            config: `RunConfig` of the run.
            model: what `open_model` opened.
            examples: images or texts, as the task takes them.

        Returns:
            Predictions, one for each example.

        Raises:
            InputError: the examples have the wrong form.
        """

    def name_classes(self, config, predictions, class_names):
        """Names the class of each example by what `predict_new` returned.

        Args:
            config: `RunConfig` of the run.
            predictions: what `predict_new` returned.
            class_names: names of the classes.

        Returns:
            List of class names, or for several labels per example of tuples of them.

        Raises:
            InputError: the task gives no example a class.
        """
        raise InputError(f"A run of {self.name} gives no example a class: take its predictions, run.predict(...).")

    def embed(self, config, model, examples):
        """Computes the features of examples in memory.

        Args:
            config: `RunConfig` of the run.
            model: what `embedding_model` built from what `open_model` opened.
            examples: as in `predict_new`.

        Returns:
            float32 (n, channels).

        Raises:
            InputError: the examples have the wrong form.
        """
        images = data.list_given_images(examples)
        size, resize = model.input_shape[1], config.data.resize
        squares = np.stack([data.read_given_image(image, size, resize) for image in images])
        return models.predict_arrays(model, squares, config.data.batch_size)

    def explain(self, config, model, examples, class_names, options):
        """Explains the predictions of examples in memory.

        Args:
            config: `RunConfig` of the run.
            model: what `open_model` opened.
            examples: as in `predict_new`.
            class_names: names of the classes.
            options: `ExplanationOptions`.

        Returns:
            List of explanations, one for each example.

        Raises:
            InputError: the examples have the wrong form, or the task has no explanations.
        """
        raise InputError(f"A run of {self.name} cannot be explained: give one of another task.")

    @abstractmethod
    def find_items(self, config, arguments, options):
        """Lists what the arguments of `predict` stand for.

        Args:
            config: `RunConfig` of the run.
            arguments: list of str, such as files, folders or texts.
            options: `PredictionOptions`.

        Returns:
            List of items, at least one.

        Raises:
            InputError: nothing is found, or something cannot be read.
        """

    @abstractmethod
    def predict_items(self, run, items, options):
        """Predicts items batch by batch.

        Args:
            run: `TrainedRun`.
            items: what `find_items` returned.
            options: `PredictionOptions`.

        Yields:
            For each item in order a tuple (item, prediction, problem). `problem` is None, or it says why the item
            cannot be read, and `prediction` means nothing.
        """

    @abstractmethod
    def open_writer(self, run, stream, options):
        """Opens what writes the predictions of items.

        Args:
            run: `TrainedRun`.
            stream: text file, open for writing.
            options: `PredictionOptions`.

        Returns:
            Context manager that gives a function of (item, prediction).
        """

    def draw_prediction(self, run, item, prediction, path):
        """Draws a prediction; tasks have it whose `prediction_options` name `annotated`.

        Args:
            run: `TrainedRun`.
            item: one of what `find_items` returned.
            prediction: that of the item, from `predict_items`.
            path: `pathlib.Path` of the PNG file to write.
        """
        raise NotImplementedError(f"{type(self).__name__} draws no predictions.")


def parts_of(splits):
    """Returns the three parts of splits by the names that messages use, a dict."""
    return {"training": splits.train, "validation": splits.validation, "test": splits.test}


def global_batch_size(config, num_replicas):
    """Returns the number of examples in one step over all devices.

    Args:
        config: `RunConfig`, whose `data.batch_size` counts the examples of one device.
        num_replicas: devices that share a step.
    """
    return config.data.batch_size * num_replicas


def print_notes(notes):
    """Prints sentences about the data, one a line."""
    for note in notes:
        print(f"note: {note}", flush=True)
