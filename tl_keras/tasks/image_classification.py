"""The task "image_classification": from folders of pictures to a classifier, its figures and its pictures."""

import functools
import hashlib
from dataclasses import replace

import numpy as np

from tl_keras import data, evaluation, models, recipes, transfer
from tl_keras.errors import InputError, unknown_name
from tl_keras.models.images.backbones import BACKBONES

HEAD_RATE = recipes.HEAD_RATE
"""Learning rate of a head that learns alone, where a recipe chooses it."""
NEW_BLOCKS = ("head",)
"""Blocks that no pretrained backbone brings."""
PATIENCE = 1
"""How many times longer than the rule of the recipes phases take."""
MAX_ENLARGED = 2
HUB_IMAGE_SIZE = 224
EXAMPLE = "FILE_OR_FOLDER"
"""What `predict` takes after the run."""


def check_sources(config):
    """Refuses local weights that are not there and blocks that the backbone does not have, before any image is read.

    Args:
        config: `RunConfig` of a run that is to be trained; a finished one does not need its old weights any more.

    Raises:
        InputError: names the path, or the block and the nearest one.
    """
    if config.model.weights not in ("imagenet", "none"):
        models.find_weight_file(config.model.weights)
    if config.model.backbone in BACKBONES:
        _check_blocks(config, [name for name, _ in BACKBONES[config.model.backbone].blocks])


def load_data(config):
    """Lists, checks, splits and decodes the images.

    Args:
        config: `RunConfig`.

    Returns:
        `ImageSplits` of square uint8 images.

    Raises:
        InputError: the data cannot be used; the message says why.
    """
    settings = config.data
    records = data.split_records(
        _find_records(settings, settings.path),
        validation_fraction=settings.validation_fraction,
        test_fraction=settings.test_fraction,
        examples_per_class=settings.examples_per_class,
        seed=config.seed,
    )
    size = settings.image_size or choose_image_size(records, config.model.backbone)
    splits = _load_splits(records, size, settings)
    for split, part in _parts(splits).items():
        if not len(part):
            raise InputError(
                f"No image is left for the {split} split of {settings.path!r}: expected at least 3 images of a class, "
                f"or a {split} folder."
            )
    for note in splits.notes:
        print(f"note: {note}", flush=True)
    return splits


def find_target(config, class_names):
    """Lists the images of the target domain, see `find_target_images`.

    Args:
        config: `RunConfig`.
        class_names: the classes of the source.

    Returns:
        `Records`.
    """
    return data.find_target_images(
        config.adaptation.target,
        class_names,
        functools.partial(_find_records, config.data),
        unknown_classes=config.adaptation.unknown_classes,
    )


def load_target(config, records, splits):
    """Decodes the images of the target domain, of the size of those of the source.

    Args:
        config: `RunConfig`.
        records: `Records` whose splits are decided.
        splits: `ImageSplits` of the source.

    Returns:
        `ImageSplits`, of which parts may be empty.
    """
    return _load_splits(records, splits.train.images[0].shape[0], config.data, copies_are_bad=False)


def describe(splits):
    """Says in one line what the run learns from.

    Args:
        splits: `ImageSplits`.
    """
    side = splits.train.images[0].shape[0]
    counts = ", ".join(f"{len(part)} {name}" for name, part in _parts(splits).items())
    skipped = f"; {len(splits.skipped)} files skipped" if splits.skipped else ""
    return f"{counts} images of {len(splits.class_names)} classes, {side} × {side} pixels{skipped}"


def preview(config, splits, folder):
    """Lists the files that were left out in `skipped.txt` of a folder; what the run learns from shows its report."""
    data.write_skipped(folder / "skipped.txt", splits.skipped)


def load_test_data(run, path):
    """Loads other images to test a finished run on.

    Args:
        run: `TrainedRun`, whose model is loaded when the data have turned out to be good.
        path: labelled data, all of which are taken.

    Returns:
        `ImageSet`.

    Raises:
        InputError: the data cannot be used, or have a class that the model does not know.
    """
    records = data.align_classes(_find_records(run.config.data, path), run.class_names)
    everything = replace(records, splits=["test"] * len(records))
    return _load_splits(everything, run.image_size, run.config.data).test


def fingerprint(splits):
    """Tells data apart.

    Args:
        splits: `ImageSplits`.

    Returns:
        Dict of the numbers of images and classes, and a hash of their names, splits and pixels.
    """
    digest = hashlib.sha256(repr(splits.class_names).encode())
    for name, part in _parts(splits).items():
        digest.update(repr((name, part.names, part.labels.tolist())).encode("utf-8", "surrogateescape"))
        digest.update(part.images if isinstance(part.images, np.ndarray) else part.images.digests)
    counts = {name: len(part) for name, part in _parts(splits).items()}
    return counts | {"classes": len(splits.class_names), "sha256": digest.hexdigest()}


def choose_image_size(records, backbone):
    """Chooses the side of the images: the backbone's own, or less where that would only enlarge small pictures.

    Args:
        records: `Records`.
        backbone: name of the backbone.

    Returns:
        Side in pixels: at most `MAX_ENLARGED` times the typical side of the pictures, rounded up to a multiple of 32;
        for a KerasHub preset, which says its own only when it is opened, `HUB_IMAGE_SIZE`.
    """
    if backbone not in BACKBONES:
        return HUB_IMAGE_SIZE
    entry = BACKBONES[backbone]
    enough = -(-MAX_ENLARGED * data.typical_side(records.sources) // 32) * 32
    return min(entry.image_size, max(enough, -(-entry.minimum_size // 32) * 32))


def build_model(config, splits):
    """Builds the classifier for the classes and the image size of the data.

    Args:
        config: `RunConfig`.
        splits: `ImageSplits`.

    Returns:
        `keras.Model`, see `build_image_classifier`.
    """
    model = config.model
    classifier = models.build_image_classifier(
        model.backbone,
        len(splits.class_names),
        weights=model.weights,
        weights_sha256=model.weights_sha256,
        image_size=splits.train.images[0].shape[0],
        pooling=model.pooling,
        dropout=model.dropout,
        hidden_units=model.hidden_units,
        multi_label=config.data.multi_label,
        class_names=splits.class_names,
    )
    if classifier.weights_report:
        print(classifier.weights_report, flush=True)
    return classifier


def compile_model(config, model, optimizer):
    """Compiles the classifier, or a suffix of it.

    Args:
        config: `RunConfig`.
        model: what `build_model` returned, or its last part.
        optimizer: Keras optimizer.
    """
    models.compile_classifier(
        model,
        optimizer,
        multi_label=config.data.multi_label,
        label_smoothing=config.model.label_smoothing,
        xla=config.xla,
    )


def activation_sources(config, splits):
    """Says what goes through the frozen part of a model, where what it computes is stored.

    Args:
        config: `RunConfig`.
        splits: `ImageSplits`.

    Returns:
        Tuple of two `ImageSource`: training and validation images.
    """
    settings, batch_size = config.data, config.data.batch_size
    views = config.cache.views or 1
    train = transfer.ImageSource(splits.train, batch_size, views, settings.augmentation, config.seed)
    return train, transfer.ImageSource(splits.validation, batch_size)


def training_inputs(config, splits, first_epoch, features=None):
    """Prepares what `fit` reads.

    Args:
        config: `RunConfig`.
        splits: `ImageSplits`.
        first_epoch: epoch of the run, counted from 0, that the data begin with.
        features: `Features` to train on in place of the images; None trains on the images.

    Returns:
        Dict of arguments of `fit`: the training data, the number of steps, the validation data, the class weights.
    """
    settings = config.data
    train = data.make_dataset(
        features.train if features else splits.train,
        settings.batch_size,
        shuffle_seed=config.seed,
        augmentation="none" if features else settings.augmentation,
        first_epoch=first_epoch,
        views=features.views if features else 1,
    )
    return {
        "x": train,
        "shuffle": False,
        "steps_per_epoch": data.steps_per_epoch(splits.train, settings.batch_size),
        "validation_data": data.make_dataset((features or splits).validation, settings.batch_size),
        "class_weight": _class_weights(splits.train) if settings.class_weight == "balanced" else None,
    }


def predict(model, image_set, batch_size):
    """Computes the probabilities of every image, in order, batch by batch.

    Args:
        model: classifier.
        image_set: `ImageSet` of n images.
        batch_size: images computed at once.

    Returns:
        float32 (n, num_classes).
    """
    with data.raise_input_errors():
        return model.predict(data.make_dataset(image_set, batch_size), verbose=0)


def evaluate(config, probabilities, image_set, folder, score_threshold=None):
    """Measures predictions and draws what they get wrong.

    Args:
        config: `RunConfig`.
        probabilities: float32 (n, num_classes).
        image_set: `ImageSet` of the n images with their true labels.
        folder: path where `mistakes.png` and, where the metrics have one, `confusion_matrix.png` are written.
        score_threshold: None, see `choose_threshold`.

    Returns:
        Tuple of the metrics, a dict ready for JSON, and the pictures, a list of (caption, path).
    """
    names, labels, multi_label = image_set.class_names, image_set.labels, config.data.multi_label
    metrics = evaluation.classification_metrics(labels, probabilities, names, multi_label)
    pictures = [("The most confident mistakes", folder / "mistakes.png")]
    evaluation.plot_mistakes(image_set.images, labels, probabilities, image_set.names, names, pictures[0][1])
    if "confusion_matrix" in metrics:
        pictures.insert(0, ("Confusion matrix", folder / "confusion_matrix.png"))
        evaluation.plot_confusion_matrix(np.array(metrics["confusion_matrix"]), names, pictures[0][1])
    return metrics, pictures


def choose_threshold(config, model, splits):
    """Returns None: the class of the largest probability is the answer, whatever it is."""
    return None


def report_extras(config, splits, probabilities, metrics):
    """Gathers what else the report shows.

    Args:
        config: `RunConfig`.
        splits: `ImageSplits`.
        probabilities: float32 (n, num_classes), of the test images.
        metrics: what `evaluate` returned for them.

    Returns:
        Dict of arguments of `write_report`.
    """
    return {"skipped": splits.skipped, "notes": list(splits.notes)}


def save_trained(config, model, folder):
    """Saves the trained model as `model.keras`.

    Args:
        config: `RunConfig`.
        model: what `build_model` returned, trained.
        folder: path of the run folder.
    """
    models.save_model(model, folder / "model.keras")


def card_facts(config, model):
    """Tells what the model takes.

    Args:
        config: `RunConfig`.
        model: classifier.

    Returns:
        Dict of arguments of `write_model_card`.
    """
    return {"image_size": model.input_shape[1], "resize": config.data.resize}


def open_model(path):
    """Opens the saved model of a run, see `tl_keras.models.open_model`."""
    return models.open_model(path)


def predict_new(config, model, images):
    """Computes the probabilities of images that are in memory.

    Args:
        config: `RunConfig` of the run.
        model: classifier.
        images: uint8 (n, height, width, 3), RGB, 0 to 255; other sizes than the model's are resized as in training.

    Returns:
        float32 (n, num_classes).

    Raises:
        InputError: these are no images.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not len(images):
        raise InputError(
            f"Cannot predict an array of shape {images.shape} and dtype {images.dtype}: expected uint8 images "
            "(n, height, width, 3), RGB, 0 to 255, at least one."
        )
    images = np.stack([data.resize_image(image, model.input_shape[1], config.data.resize) for image in images])
    return model.predict(images, batch_size=config.data.batch_size, verbose=0)


def _parts(splits):
    return {"training": splits.train, "validation": splits.validation, "test": splits.test}


def _check_blocks(config, backbone):
    """Refuses the names of blocks that are not there; what presets of KerasHub have, only building them tells."""
    if config.unfreeze_from not in (None, "all", *backbone):
        raise unknown_name("unfreeze_from", config.unfreeze_from, [*backbone, "all"])
    for phase in config.phases or ():
        for name in [phase.train] if isinstance(phase.train, str) else phase.train:
            if name not in (*backbone, "head", "all") and not name.startswith("regex:"):
                raise unknown_name("block", name, [*backbone, "head", "all"])


def _find_records(settings, path):
    return data.find_records(
        path,
        path_column=settings.path_column,
        label_column=settings.label_column,
        split_column=settings.split_column,
        multi_label=settings.multi_label,
        on_bad_file=settings.on_bad_file,
    )


def _load_splits(records, image_size, settings, copies_are_bad=True):
    return data.load_image_splits(
        records,
        image_size,
        resize=settings.resize,
        on_bad_file=settings.on_bad_file,
        max_bad_files=settings.max_bad_files,
        max_decoded_bytes=int(settings.max_decoded_gigabytes * 1e9),
        refuse_duplicates=copies_are_bad,
    )


def _class_weights(image_set):
    counts = np.bincount(image_set.labels, minlength=len(image_set.class_names))
    return dict(enumerate((len(image_set) / (len(counts) * counts)).tolist()))
