"""The task "object_detection": images with boxes, from COCO, Pascal VOC, YOLO folders, tables or TFDS."""

import contextlib
import functools
import json
import os
from dataclasses import replace

import numpy as np
from PIL import Image

from tl_keras import data, evaluation, explanation, models, transfer
from tl_keras.data.boxes.geometry import BOX_RESIZES
from tl_keras.data.images.image_items import find_image_files, merge_rows, predict_files
from tl_keras.data.images.resizing import CROP, PAD, RESIZE_CALLS
from tl_keras.errors import InputError, UnusedSetting, counted
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX
from tl_keras.system.atomic_files import atomic_path, write_text
from tl_keras.tasks.base import VALIDATION_FRACTION, ReportExtras, Task, global_batch_size, parts_of, print_notes
from tl_keras.tasks.block_checks import check_blocks
from tl_keras.tasks.data_settings import image_loading, table_columns
from tl_keras.tasks.detection_examples import show_mistakes
from tl_keras.tasks.detection_settings import choose_image_size, detector_settings
from tl_keras.tasks.detections_table import write_detections
from tl_keras.tasks.object_writers import OBJECT_WRITERS
from tl_keras.tasks.report_examples import count_classes
from tl_keras.tasks.saved_predictions import check_detections


class ObjectDetection(Task):
    """Finds objects of several classes in square images."""

    name = "object_detection"
    defaults = {
        "data": {
            "path": "tree_crowns",
            "augmentation": "light",
            "resize": PAD,
            "validation_fraction": VALIDATION_FRACTION,
        }
    }
    unused_settings = {
        "data": ("examples_per_class", "multi_label", "label_separator", "class_weight"),
        "model": ("pooling", "head_blocks", "hidden_units", "dropout", "label_smoothing", "lora_rank"),
        "text": None,
    }
    augmentations = ("none", "light", "mosaic")
    named_weights = ("imagenet", "coco", "none")
    pads_batches = False
    new_blocks = ("neck", "proposals", "head")
    # Average precision often still rises where the sum of the losses does too.
    loss_ranks_epochs = False
    step_budget_factor = 4
    headline_metrics = ("average_precision_50", "mean_average_precision", "f1")
    result_files = ("training_boxes.png", "detections.png", "precision_recall.png", "predictions.csv")
    usage = "FILE_OR_FOLDER --annotated FOLDER"
    prediction_options = ("path_column", "score_threshold", "annotated")
    writers = OBJECT_WRITERS

    def defaults_for(self, config):
        """Adds the backbone and the weights of the detector."""
        family = FAMILIES[config.detection.detector]
        weights = config.model.weights or family.named_weights[0]
        return self.defaults | {"model": {"backbone": family.default_backbone(weights), "weights": weights}}

    def backbones(self, config):
        """Lists the sizes of the detector, or for one on any backbone the image backbones."""
        return FAMILIES[config.detection.detector].sizes or [*BACKBONES, f"{HUB_PREFIX}PRESET"]

    def weights(self, config):
        """Lists the named weights of the detector."""
        return tuple(name or "none" for name in FAMILIES[config.detection.detector].named_weights)

    def check_config(self, config):
        """Refuses crops, several columns of labels, comparing whole images, and blocks of other detectors."""
        if config.data.resize == CROP:
            message = f"data.resize crop would cut boxes off: take {' or '.join(BOX_RESIZES)} for object_detection."
            raise UnusedSetting(message, "data.resize")
        if not isinstance(config.data.label_column, str):
            message = "data.label_column is a list: give the column of the class names, boxes have only one."
            raise UnusedSetting(message, "data.label_column")
        if config.recipe == "few_shot" and config.phases is None:
            message = "recipe few_shot compares whole images, not boxes: take linear_probe_then_fine_tune."
            raise UnusedSetting(message, "recipe")
        if blocks := _possible_blocks(config):
            check_blocks(config, blocks)

    def network(self, config):
        """Names the detector and, unless the network is named after it, its backbone."""
        backbone, detector = os.path.basename(config.model.backbone), config.detection.detector
        return "Network", backbone if backbone.startswith(detector) else f"{detector} with {backbone}"

    def find_labelled(self, config, path):
        """Lists images with boxes, see `find_boxes`."""
        return data.find_boxes(
            path,
            table_columns(config),
            box_format=config.detection.box_format,
            on_bad_box=config.detection.on_bad_box,
            on_bad_file=config.data.on_bad_file,
        )

    def load_data(self, config):
        """Lists, checks, splits and decodes the images; returns `Splits` of square uint8 images."""
        settings = config.data
        found = self.find_labelled(config, settings.path)
        records = data.split_boxes(
            found,
            validation_fraction=settings.validation_fraction,
            test_fraction=settings.test_fraction,
            max_train_images=settings.max_train_images,
            seed=config.seed,
        )
        splits = _load_splits(config, records, settings.image_size or choose_image_size(found))
        for name, part in parts_of(splits).items():
            if not any(map(len, part.boxes)):
                raise InputError(
                    f"No box is left for the {name} split of {settings.path!r}: expected at least one image with boxes."
                )
        print_notes(splits.notes)
        return splits

    def describe(self, config, splits):
        """Counts images, boxes and pixels."""
        side = splits.train.images[0].shape[0]
        boxes = ", ".join(f"{sum(map(len, part.boxes)):,}" for part in parts_of(splits).values())
        skipped = f"; {counted(len(splits.skipped), 'file')} skipped" if splits.skipped else ""
        classes = ", ".join(splits.class_names[:5]) + (", …" if len(splits.class_names) > 5 else "")
        counts = self.list_counts(splits)
        return f"{counts} images with {boxes} boxes of {classes}, {side} × {side} pixels{skipped}"

    def preview(self, config, splits, folder):
        """Draws 15 augmented training images with their boxes into `training_boxes.png` and lists skipped files."""
        data.write_skipped(folder / "skipped.txt", splits.skipped)
        train = _training_dataset(config, splits, 0, batch_size=15)
        images, targets = next(iter(train.take(1)))
        evaluation.plot_boxes(
            images.numpy(),
            targets["boxes"].numpy(),
            targets["labels"].numpy(),
            [""] * len(images),
            splits.class_names,
            folder / "training_boxes.png",
        )
        print_notes(evaluation.legend_lines(splits.class_names))

    def load_test_data(self, run, path, split=None):
        """Loads images with boxes as a `BoxSet`."""
        records = data.align_classes(self.find_labelled(run.config, path), run.class_names)
        chosen = data.choose_test_examples(records, path, split)
        print_notes(chosen.notes)
        return _load_splits(run.config, chosen, run.image_size).test

    def content(self, name, part):
        """Yields names, boxes, labels and the digests of the pixels."""
        yield repr((name, part.names)).encode("utf-8", "surrogateescape")
        for boxes, labels in zip(part.boxes, part.labels, strict=True):
            yield repr((boxes.tolist(), labels.tolist())).encode()
        yield data.image_digests(part)

    def build_model(self, config, splits):
        """Builds the `Detector`, see `build_object_detector`."""
        weights = config.model.weights
        detector = models.build_object_detector(
            config.detection.detector,
            len(splits.class_names),
            backbone=config.model.backbone,
            image_size=splits.train.images[0].shape[0],
            weights=weights,
            weights_sha256=config.model.weights_sha256,
            settings=detector_settings(config.detection, splits.train, own_shape=weights != "coco"),
            class_names=splits.class_names,
        )
        models.check_built_sizes(detector.inference_model())
        return detector

    def compile_model(self, config, model, optimizer):
        """Compiles the detector, which brings its own losses."""
        model.compile(optimizer, jit_compile=True if config.xla else "auto")

    def training_inputs(self, config, splits, first_epoch, features=None, num_replicas=1):
        """Prepares shuffled, augmented batches of images with boxes, or of their cached activations."""
        batch_size = global_batch_size(config, num_replicas)
        return {
            "x": _training_dataset(config, splits, first_epoch, features, batch_size=batch_size),
            "shuffle": False,
            "steps_per_epoch": data.steps_per_epoch(splits.train, batch_size),
            "validation_data": data.make_box_dataset(
                (features or splits).validation, batch_size, max_boxes=_max_boxes(config, splits)
            ),
        }

    def activation_sources(self, config, splits, num_replicas=1):
        """Returns the `BoxSource` of the training and of the validation images."""
        batch_size, max_boxes = global_batch_size(config, num_replicas), _max_boxes(config, splits)
        views = config.cache.views or 1
        train = transfer.BoxSource(splits.train, batch_size, max_boxes, views, config.data.augmentation, config.seed)
        return train, transfer.BoxSource(splits.validation, batch_size, max_boxes)

    def save_model(self, config, model, folder):
        """Saves the detector from images to boxes, also as a SavedModel, which needs neither Keras nor this project."""
        inference = model.inference_model()
        models.save_model(inference, folder / "model.keras", class_names=model.class_names)
        models.export_detector(inference, model.class_names, folder / evaluation.EXPORTED)

    def open_model(self, config, path, num_classes):
        """Opens the saved detector, see `tl_keras.models.open_detector`."""
        model = models.open_detector(path)
        models.check_signature(model, models.IMAGES, models.DETECTIONS)
        return model

    def predict(self, model, examples, batch_size):
        """Detects the objects in every image of a `BoxSet`.

        Args:
            model: detector, or what `save_model` saved of it.
            examples: `BoxSet` of n images.
            batch_size: images computed at once.

        Returns:
            List of n dicts of `boxes`, float32 (k, 4), xyxy in pixels of the square image, `scores`, float32 (k,), 0
            to 1 in descending order, and `labels`, int32 (k,).
        """
        images = data.make_box_dataset(examples, batch_size, max_boxes=data.max_boxes_per_image(examples))
        with data.raise_input_errors():
            return models.detect(model, images.map(lambda pixels, _: pixels))

    def checked(self, predictions, class_names):
        """Refuses boxes that are not finite, and classes without a name."""
        return check_detections(predictions, len(class_names))

    def measure_phase(self, config, model, splits):
        """Measures the average precision."""
        part = splits.validation
        predictions = self.predict(model, part, config.data.batch_size)
        ground_truth, detections = in_original_pixels(part, predictions)
        metrics = evaluation.detection_metrics(ground_truth, part.labels, detections, part.class_names)
        return {name: metrics[name] for name in ("average_precision_50", "mean_average_precision")}

    def choose_threshold(self, config, model, splits):
        """Chooses the score with the best F1 on the validation images."""
        part = splits.validation
        return evaluation.best_threshold(part.boxes, part.labels, self.predict(model, part, config.data.batch_size))

    def evaluate(self, config, predictions, examples, folder, score_threshold=None):
        """Measures detections in pixels of the original images, and draws them.

        Args:
            config: `RunConfig`.
            predictions: what `predict` returned.
            examples: `BoxSet` of the n images with their ground truth.
            folder: path that `detections.png`, `precision_recall.png` and `detections.json` are written to. The last
                holds `truth`, a COCO document, and `results` in COCO's form.
            score_threshold: score from which a detection counts; None chooses it on these images.

        Returns:
            Tuple of the metrics, a dict ready for JSON, and a list of (caption, path of a plot).
        """
        names = examples.class_names
        check_detections(predictions, len(names))
        ground_truth, detections = in_original_pixels(examples, predictions)
        metrics = evaluation.detection_metrics(ground_truth, examples.labels, detections, names, score_threshold)
        plots = [
            ("Precision and recall", folder / "precision_recall.png"),
            ("Ground truth (left) and predictions (right), most mistakes first", folder / "detections.png"),
        ]
        plots = [(evaluation.add_legend(caption, names), path) for caption, path in plots]
        evaluation.plot_precision_recall(metrics, plots[0][1])
        evaluation.plot_detections(
            examples.images,
            examples.boxes,
            examples.labels,
            predictions,
            examples.names,
            names,
            plots[1][1],
            score_threshold=metrics["score_threshold"],
        )
        document = data.coco_document(replace(examples, boxes=ground_truth), examples.names)
        results = {"truth": document, "results": data.coco_results(detections)}
        write_text(folder / "detections.json", json.dumps(results))
        return metrics, plots

    def write_predictions(self, parts, predictions, folder, score_threshold=None):
        """Writes `predictions.csv` with the detections that count, see `write_detections`."""
        split, examples = list(parts.items())[-1]
        ground_truth, detections = in_original_pixels(examples, predictions)
        counted = [evaluation.above_threshold(one, score_threshold) for one in detections]
        write_detections(folder / "predictions.csv", split, examples, ground_truth, counted)

    def report_extras(self, config, splits, predictions, metrics, baselines=()):
        """Adds the skipped files, the notes on the data and the chosen score threshold."""
        boxes = splits.validation.boxes
        note = evaluation.describe_threshold(metrics["score_threshold"], len(boxes), sum(map(len, boxes)))
        return ReportExtras(skipped=splits.skipped, notes=(*splits.notes, note))

    def report_examples(self, config, model, splits, predictions):
        """Counts the boxes of each class, and shows the mistakes in the test images."""
        labels = {name: np.concatenate(part.labels) for name, part in parts_of(splits).items() if len(part)}
        tested = self.tested_examples(config, model, splits.test, predictions)
        return replace(tested, counts=count_classes(labels, splits.class_names))

    def tested_examples(self, config, model, examples, predictions):
        """Shows the most confident mistakes, with the parts of the images that made them."""
        return evaluation.ReportExamples(worst=show_mistakes(model, examples, predictions))

    def card_facts(self, config, model):
        """Describes the size of the images, and how they are brought to it."""
        resize_call = RESIZE_CALLS[config.data.resize]
        return {"image_size": model.image_size, "resize_call": resize_call, "finds_boxes": True}

    def predict_new(self, config, model, examples):
        """Detects the objects in images in memory.

        Args:
            config: `RunConfig` of the run.
            model: detector.
            examples: images in any form that `data.list_given_images` accepts.

        Returns:
            List of n dicts, as `predict` returns them, with boxes in pixels of each image.

        Raises:
            InputError: the examples are not images, or a file cannot be read.
        """
        images = [data.upright_pixels(image) for image in data.list_given_images(examples)]
        size, resize = model.input_shape[1], config.data.resize
        squares = np.stack([data.resize_image(image, size, resize) for image in images])
        detections = models.detect(model, squares, batch_size=config.data.batch_size)
        return [
            one | {"boxes": data.restore_boxes(one["boxes"], image.shape[:2], size, resize)}
            for one, image in zip(detections, images, strict=True)
        ]

    def explain(self, config, model, examples, class_names, options):
        """Explains the most confident detections of images in memory, a list of `DetectionExplanation`."""
        size, resize, explained = model.input_shape[1], config.data.resize, []
        for image in map(data.upright_pixels, data.list_given_images(examples)):
            square = data.resize_image(image, size, resize)
            found = _choose_detections(models.detect(model, square[None])[0], options)
            check_detections([found], len(class_names))
            boxes = data.restore_boxes(found["boxes"], image.shape[:2], size, resize)
            explained.append(explanation.explain_detections(model, square, found, boxes, class_names))
        return explained

    def find_items(self, config, arguments, options):
        """Lists the image files among files, folders and tables, whose rows may also be boxes."""
        columns = table_columns(config)
        files = find_image_files(arguments, options.path_column or columns.path)
        return merge_rows(files, {columns.label, *columns.boxes})

    def predict_items(self, run, items, options):
        """Detects the objects in image files, batch by batch.

        A prediction is a list of (class name, score, box), the highest score first; a box is left, top, right, bottom
        in pixels of the upright image.
        """
        threshold = run.score_threshold if options.score_threshold is None else options.score_threshold
        batch_size, resize = run.batch_size, run.config.data.resize
        detect = functools.partial(models.detect, run.model, batch_size=batch_size, score_threshold=threshold)
        predictions = predict_files(items, detect, image_size=run.image_size, resize=resize, batch_size=batch_size)
        for file, one, problem in predictions:
            if problem:
                yield file, [], problem
                continue
            boxes = data.restore_boxes(one["boxes"], data.upright_size(file), run.image_size, resize)
            check_detections([one], len(run.class_names))
            names = [run.class_names[label] for label in one["labels"]]
            yield file, list(zip(names, one["scores"].tolist(), boxes.tolist(), strict=True)), None

    @contextlib.contextmanager
    def open_writer(self, run, stream, options):
        """Opens a writer of (file, detections)."""
        with self.writers[options.format](stream, run.class_names) as write:
            yield lambda file, detections: write(file, data.upright_size(file), detections)

    def draw_prediction(self, run, item, prediction, path):
        """Draws the detections in an image file into a PNG copy."""
        image = evaluation.draw_objects(data.read_upright(item), prediction, run.class_names)
        with atomic_path(path) as temporary:
            Image.fromarray(image).save(temporary)


def in_original_pixels(box_set, predictions):
    """Converts the boxes of the ground truth and of predictions to pixels of the original images.

    Args:
        box_set: `BoxSet` of n images.
        predictions: what `predict` returned for them.

    Returns:
        Tuple of the boxes, a list of n float (k, 4), and the predictions.
    """
    ground_truth = [_restore(box_set, row, boxes) for row, boxes in enumerate(box_set.boxes)]
    return ground_truth, [one | {"boxes": _restore(box_set, row, one["boxes"])} for row, one in enumerate(predictions)]


def _possible_blocks(config):
    """Lists the blocks that the detector may have, the head last; None if only the model itself shows them."""
    family, backbone = FAMILIES[config.detection.detector], config.model.backbone
    if backbone in family.sizes:
        return [*family.blocks, *family.last_blocks]
    if backbone not in BACKBONES or config.model.weights == "coco":
        return None
    # Without a feature pyramid there is no neck, and the last blocks of the backbone are not used.
    return [*(name for name, _ in BACKBONES[backbone].blocks), *family.last_blocks]


def _choose_detections(found, options):
    """Chooses the most confident detections of the class, or of all classes from the threshold on."""
    counts = found["scores"] >= options.score_threshold if options.number is None else found["labels"] == options.number
    rows = np.flatnonzero(counts)[: options.max_boxes]
    return {name: values[rows] for name, values in found.items()}


def _load_splits(config, records, image_size):
    return data.load_box_splits(records, image_size, resize=config.data.resize, loading=image_loading(config))


def _training_dataset(config, splits, first_epoch, features=None, *, batch_size):
    return data.make_box_dataset(
        features.train if features else splits.train,
        batch_size,
        max_boxes=_max_boxes(config, splits),
        shuffle_seed=config.seed,
        augmentation="none" if features else config.data.augmentation,
        first_epoch=first_epoch,
        views=features.views if features else 1,
    )


def _max_boxes(config, splits):
    """Returns the number of boxes that every batch is padded to, one for the whole run, so that nothing is retraced."""
    augmented = data.max_boxes_per_image(splits.train, augmentation=config.data.augmentation)
    return max(augmented, data.max_boxes_per_image(splits.validation))


def _restore(box_set, row, boxes):
    return data.restore_boxes(boxes, box_set.sizes[row], box_set.images[row].shape[0], box_set.resize)
