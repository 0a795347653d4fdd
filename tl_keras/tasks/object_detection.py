"""The task "object_detection": from images with boxes to a detector, its figures and its pictures."""

import hashlib
import json
from dataclasses import fields, replace

import numpy as np

from tl_keras import data, evaluation, models, recipes, transfer
from tl_keras.errors import InputError
from tl_keras.models.detection.families import FAMILIES

HEAD_RATE = recipes.HEAD_RATE
"""Learning rate of the new blocks, while they learn alone, where a recipe chooses it."""
NEW_BLOCKS = ("neck", "proposals", "head")
"""Blocks that no pretrained backbone brings."""
PATIENCE = 4
"""How many times longer than a classifier a detector learns."""
LARGEST_IMAGE_SIZE, STRIDE = 640, 32
"""Pixels; every detector takes multiples of the stride."""
EXAMPLE = "FILE_OR_FOLDER --pictures FOLDER"
"""What `predict` takes after the run."""
SETTINGS = ("feature_pyramid", "channels", "anchor_sizes", "head_units", "num_proposals")
SMALL_SHARE, SMALLEST_ANCHOR = 0.25, 8.0


def check_sources(config):
    """Refuses local weights that are not there, before any image is read.

    Args:
        config: `RunConfig` of a run that is to be trained; a finished one does not need its old weights any more.

    Raises:
        InputError: names the path.
    """
    if config.model.weights not in ("imagenet", "coco", "none"):
        models.find_weight_file(config.model.weights)


def load_data(config):
    """Lists, checks, splits and decodes the images.

    Args:
        config: `RunConfig`.

    Returns:
        `BoxSplits` of square uint8 images.

    Raises:
        InputError: the data cannot be used; the message says why.
    """
    settings = config.data
    records = data.split_boxes(
        _find_boxes(config, settings.path),
        validation_fraction=settings.validation_fraction,
        test_fraction=settings.test_fraction,
        max_train_images=settings.max_train_images,
        seed=config.seed,
    )
    size = settings.image_size or choose_image_size(records)
    splits = _load_splits(config, records, size)
    for split, part in _parts(splits).items():
        if not any(map(len, part.boxes)):
            raise InputError(
                f"No box is left for the {split} split of {settings.path!r}: expected at least one image with boxes."
            )
    for note in splits.notes:
        print(f"note: {note}", flush=True)
    return splits


def describe(splits):
    """Says in one line what the run learns from.

    Args:
        splits: `BoxSplits`.
    """
    side = splits.train.images[0].shape[0]
    images = ", ".join(f"{len(part)} {name}" for name, part in _parts(splits).items())
    boxes = ", ".join(f"{sum(map(len, part.boxes)):,}" for part in _parts(splits).values())
    skipped = f"; {len(splits.skipped)} files skipped" if splits.skipped else ""
    classes = ", ".join(splits.class_names[:5]) + (", …" if len(splits.class_names) > 5 else "")
    return f"{images} images with {boxes} boxes of {classes}, {side} × {side} pixels{skipped}"


def preview(config, splits, folder):
    """Draws 16 training images with their boxes, as the first epoch will vary them: are the boxes where they should be?

    Args:
        config: `RunConfig`.
        splits: `BoxSplits`.
        folder: path where `training_boxes.png` is written, and `skipped.txt` with the files that were left out.
    """
    data.write_skipped(folder / "skipped.txt", splits.skipped)
    train = _training_dataset(replace(config, data=replace(config.data, batch_size=16)), splits, 0)
    images, targets = next(iter(train.take(1)))
    evaluation.plot_boxes(
        images.numpy(),
        targets["boxes"].numpy(),
        targets["labels"].numpy(),
        [""] * len(images),
        splits.class_names,
        folder / "training_boxes.png",
    )


def load_test_data(run, path):
    """Loads other images to test a finished run on.

    Args:
        run: `TrainedRun`, whose model is loaded when the data have turned out to be good.
        path: images with boxes, all of which are taken.

    Returns:
        `BoxSet`.

    Raises:
        InputError: the data cannot be used, or have a class that the model does not know.
    """
    records = data.align_box_classes(_find_boxes(run.config, path), run.class_names)
    everything = replace(records, splits=["test"] * len(records))
    return _load_splits(run.config, everything, run.image_size).test


def fingerprint(splits):
    """Tells data apart.

    Args:
        splits: `BoxSplits`.

    Returns:
        Dict of the numbers of images and classes, and a hash of their names, splits, boxes and pixels.
    """
    digest = hashlib.sha256(repr(splits.class_names).encode())
    for name, part in _parts(splits).items():
        digest.update(repr((name, part.names)).encode("utf-8", "surrogateescape"))
        for boxes, labels in zip(part.boxes, part.labels, strict=True):
            digest.update(repr((boxes.tolist(), labels.tolist())).encode())
        digest.update(part.images if isinstance(part.images, np.ndarray) else part.images.digests)
    counts = {name: len(part) for name, part in _parts(splits).items()}
    return counts | {"classes": len(splits.class_names), "sha256": digest.hexdigest()}


def choose_image_size(records):
    """Chooses the side of the images: that of the pictures, so that objects stay as large, up to `LARGEST_IMAGE_SIZE`.

    Args:
        records: `BoxRecords`.

    Returns:
        Side in pixels, a multiple of `STRIDE`.
    """
    longest = int(np.median(records.sizes.max(axis=1)))
    return min(LARGEST_IMAGE_SIZE, -(-max(longest, 1) // STRIDE) * STRIDE)


def choose_anchor_sizes(box_set):
    """Chooses the sides of the anchors of five levels, each twice as large as the one before.

    The finest is the power of two next to the small boxes: those that a quarter of all are smaller than. It has
    `SMALLEST_ANCHOR` pixels at least.

    Args:
        box_set: `BoxSet` of the training images.

    Returns:
        Tuple of five floats, in pixels.
    """
    boxes = np.concatenate(box_set.boxes)
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    finest = max(SMALLEST_ANCHOR, 2.0 ** np.round(np.log2(np.quantile(sides, SMALL_SHARE))))
    return tuple(float(finest * 2**level) for level in range(5))


def build_model(config, splits):
    """Builds the detector for the classes and the image size of the data.

    Args:
        config: `RunConfig`.
        splits: `BoxSplits`.

    Returns:
        `Detector`, see `build_object_detector`.
    """
    model = config.model
    detector = models.build_object_detector(
        config.detection.detector,
        len(splits.class_names),
        backbone=model.backbone,
        image_size=splits.train.images[0].shape[0],
        weights=model.weights,
        weights_sha256=model.weights_sha256,
        settings=_settings(config.detection, splits.train, own_shape=model.weights != "coco"),
        class_names=splits.class_names,
    )
    if detector.weights_report:
        print(detector.weights_report, flush=True)
    return detector


def compile_model(config, model, optimizer):
    """Compiles the detector, or a suffix of it; its losses are its own.

    Args:
        config: `RunConfig`.
        model: what `build_model` returned, or its last part.
        optimizer: Keras optimizer.
    """
    model.compile(optimizer, jit_compile=True if config.xla else "auto")


def activation_sources(config, splits):
    """Says what goes through the frozen part of a model, where what it computes is stored.

    Args:
        config: `RunConfig`.
        splits: `BoxSplits`.

    Returns:
        Tuple of two `BoxSource`: training and validation images.
    """
    settings, most = config.data, _most_boxes(config, splits)
    views = config.cache.views or 1
    train = transfer.BoxSource(splits.train, settings.batch_size, most, views, settings.augmentation, config.seed)
    return train, transfer.BoxSource(splits.validation, settings.batch_size, most)


def training_inputs(config, splits, first_epoch, features=None):
    """Prepares what `fit` reads.

    Args:
        config: `RunConfig`.
        splits: `BoxSplits`.
        first_epoch: epoch of the run, counted from 0, that the data begin with.
        features: `Features` to train on in place of the images; None trains on the images.

    Returns:
        Dict of arguments of `fit`: the training data, the number of steps, the validation data.
    """
    batch_size = config.data.batch_size
    return {
        "x": _training_dataset(config, splits, first_epoch, features),
        "shuffle": False,
        "steps_per_epoch": data.steps_per_epoch(splits.train, batch_size),
        "validation_data": data.make_box_dataset(
            (features or splits).validation, batch_size, max_boxes=_most_boxes(config, splits)
        ),
    }


def predict(model, box_set, batch_size):
    """Finds the objects in every image, in order, batch by batch.

    Args:
        model: detector, or what `save_trained` saved of it.
        box_set: `BoxSet` of n images.
        batch_size: images computed at once.

    Returns:
        List of n dicts of `boxes`, float32 (k, 4), xyxy in pixels of the square image, `scores`, float32 (k,), 0 to 1,
        best first, and `labels`, int32 (k,).
    """
    images = data.make_box_dataset(box_set, batch_size, max_boxes=data.max_boxes_per_image(box_set))
    with data.raise_input_errors():
        return models.detect(model, images.map(lambda pixels, _: pixels))


def choose_threshold(config, model, splits):
    """Chooses from which score on an object counts as found: the best F1 on the validation images.

    Args:
        config: `RunConfig`.
        model: trained detector.
        splits: `BoxSplits`.

    Returns:
        A score, 0 to 1.
    """
    part = splits.validation
    return evaluation.best_threshold(part.boxes, part.labels, predict(model, part, config.data.batch_size))


def evaluate(config, predictions, box_set, folder, score_threshold=None):
    """Measures predictions, in pixels of the images as they were, and draws them.

    Args:
        config: `RunConfig`.
        predictions: what `predict` returned.
        box_set: `BoxSet` of the n images with their true boxes.
        folder: path where `detections.png`, `precision_recall.png` and `detections.json` are written: the last holds
            `truth`, a COCO document, and `results` in COCO's form.
        score_threshold: from which score on an object counts as found; None chooses it by these very images.

    Returns:
        Tuple of the metrics, a dict ready for JSON, and the pictures, a list of (caption, path).
    """
    names = box_set.class_names
    truth = [_restored(box_set, row, boxes) for row, boxes in enumerate(box_set.boxes)]
    found = [one | {"boxes": _restored(box_set, row, one["boxes"])} for row, one in enumerate(predictions)]
    metrics = evaluation.detection_metrics(truth, box_set.labels, found, names, score_threshold)
    pictures = [
        ("Precision and recall", folder / "precision_recall.png"),
        ("True boxes (left) and found ones (right), most mistakes first", folder / "detections.png"),
    ]
    evaluation.plot_precision_recall(metrics, pictures[0][1])
    evaluation.plot_detections(
        box_set.images,
        box_set.boxes,
        box_set.labels,
        predictions,
        box_set.names,
        names,
        pictures[1][1],
        score_threshold=metrics["score_threshold"],
    )
    document = data.coco_document(replace(box_set, boxes=truth), box_set.names)
    (folder / "detections.json").write_text(
        json.dumps({"truth": document, "results": data.coco_results(found)}), encoding="utf-8"
    )
    return metrics, pictures


def report_extras(config, splits, predictions, metrics):
    """Gathers what else the report shows.

    Args:
        config: `RunConfig`.
        splits: `BoxSplits`.
        predictions: what `predict` returned for the test images.
        metrics: what `evaluate` returned for them.

    Returns:
        Dict of arguments of `write_report`.
    """
    threshold = metrics["score_threshold"]
    note = f"Objects count as found from a score of {threshold:.2f} on, which is best for the validation images."
    return {"skipped": splits.skipped, "notes": [*splits.notes, note]}


def save_trained(config, model, folder):
    """Saves the detector, from images to boxes, scores and labels: as `model.keras`, and without Keras and this project
    as a SavedModel, see `export_detector`.

    Args:
        config: `RunConfig`.
        model: what `build_model` returned, trained.
        folder: path of the run folder.
    """
    inference = model.inference_model()
    models.save_model(inference, folder / "model.keras", class_names=model.class_names)
    models.export_detector(inference, model.class_names, folder / evaluation.EXPORTED)


def card_facts(config, model):
    """Tells what the model takes.

    Args:
        config: `RunConfig`.
        model: detector.

    Returns:
        Dict of arguments of `write_model_card`.
    """
    return {"image_size": model.image_size, "resize": config.data.resize, "finds_boxes": True}


def open_model(path):
    """Opens the saved model of a run, see `tl_keras.models.open_detector`."""
    return models.open_detector(path)


def predict_new(config, model, images):
    """Finds the objects in images that are in memory.

    Args:
        config: `RunConfig` of the run.
        model: detector.
        images: uint8 (n, height, width, 3), RGB, 0 to 255; or a list of n uint8 (height, width, 3) of any sizes.

    Returns:
        List of n dicts, as `predict` returns them, with boxes in pixels of each image.

    Raises:
        InputError: these are no images.
    """
    for image in images if len(images) else [np.zeros(0)]:
        image = np.asarray(image)
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
            raise InputError(
                f"Cannot look for objects in an array of shape {image.shape} and dtype {image.dtype}: expected uint8 "
                "images (height, width, 3), RGB, 0 to 255."
            )
    size, resize = model.input_shape[1], config.data.resize
    squares = np.stack([data.resize_image(image, size, resize) for image in images])
    found = models.detect(model, squares, batch_size=config.data.batch_size)
    return [
        one | {"boxes": data.restore_boxes(one["boxes"], image.shape[:2], size, resize)}
        for one, image in zip(found, images, strict=True)
    ]


def _parts(splits):
    return {"training": splits.train, "validation": splits.validation, "test": splits.test}


def _find_boxes(config, path):
    return data.find_boxes(
        path,
        box_columns=config.detection.box_columns,
        label_column=config.data.label_column,
        split_column=config.data.split_column,
        box_format=config.detection.box_format,
        on_bad_box=config.detection.on_bad_box,
        on_bad_file=config.data.on_bad_file,
    )


def _load_splits(config, records, image_size):
    return data.load_box_splits(
        records,
        image_size,
        resize=config.data.resize,
        on_bad_file=config.data.on_bad_file,
        max_bad_files=config.data.max_bad_files,
        max_decoded_bytes=int(config.data.max_decoded_gigabytes * 1e9),
    )


def _settings(detection, train, own_shape):
    """Makes the settings of the detector: what is given, the rest as its authors have it, anchors by the data.

    Whole detectors come with their anchors, and so with a shape that is not their own to choose.
    """
    settings = FAMILIES[detection.detector].settings()
    own = {field.name for field in fields(settings)}
    given = {name: getattr(detection, name) for name in SETTINGS if getattr(detection, name) is not None}
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    if own_shape and "anchor_sizes" in own - given.keys():
        given["anchor_sizes"] = choose_anchor_sizes(train)
    decoding = replace(
        settings.decoding,
        score_threshold=detection.score_threshold,
        max_detections=detection.max_detections,
        overlap_threshold=detection.overlap_threshold or settings.decoding.overlap_threshold,
    )
    return replace(settings, **given, decoding=decoding)


def _training_dataset(config, splits, first_epoch, features=None):
    return data.make_box_dataset(
        features.train if features else splits.train,
        config.data.batch_size,
        max_boxes=_most_boxes(config, splits),
        shuffle_seed=config.seed,
        augmentation="none" if features else config.data.augmentation,
        first_epoch=first_epoch,
        views=features.views if features else 1,
    )


def _most_boxes(config, splits):
    """One number of places for every batch of a run, so that nothing is traced again."""
    varied = data.max_boxes_per_image(splits.train, augmentation=config.data.augmentation)
    return max(varied, data.max_boxes_per_image(splits.validation))


def _restored(box_set, row, boxes):
    return data.restore_boxes(boxes, box_set.sizes[row], box_set.images[row].shape[0], box_set.resize)
