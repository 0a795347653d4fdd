"""Images with boxes as what a frozen part computes its activations from."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from tl_keras.data import BoxSet, augment_boxes, make_box_dataset, steps_per_epoch
from tl_keras.transfer.activations.image_source import decided_by_images

LABEL = 4
"""Place of the label in a stored target, behind the corners of its box."""


@dataclass(frozen=True, eq=False)
class BoxSource:
    """A set of images with boxes, or several augmented views of it.

    Attributes:
        box_set: `BoxSet` of n images.
        batch_size: images computed at once.
        max_boxes: places for boxes per image, see `max_boxes_per_image`.
        views: how often to go through the images, each time augmented anew.
        augmentation: a key of `BOX_AUGMENTATIONS`; all but "none" ask for a reason to have several views.
        seed: int; view and batch draw from it.
    """

    box_set: BoxSet
    batch_size: int
    max_boxes: int
    views: int = 1
    augmentation: str = "none"
    seed: int = 0

    @property
    def num_examples(self):
        """Number of images that go through the frozen part, all views counted."""
        return self.views * len(self.box_set)

    @property
    def target_shape(self):
        """Shape of a target to store, boxes with their labels; None where both stay as they are."""
        return None if self.augmentation == "none" else (self.max_boxes, LABEL + 1)

    def num_rows(self, per_token):
        """Returns the number of rows to store, an int."""
        return self.num_examples

    def batches(self):
        """Yields (images, targets, None) of every batch, one view after the other."""
        steps = steps_per_epoch(self.box_set, self.batch_size)
        for view in range(self.views):
            dataset = make_box_dataset(self.box_set, self.batch_size, max_boxes=self.max_boxes)
            for step, (images, targets) in enumerate(dataset):
                boxes, labels = targets["boxes"], targets["labels"]
                if self.augmentation != "none":
                    number = np.array([self.seed, view * steps + step], np.int64)
                    images, boxes, labels = augment_boxes(images, boxes, labels, self.augmentation, number)
                yield images, tf.concat([boxes, tf.cast(labels, tf.float32)[..., None]], axis=-1), None

    def sample(self, count):
        """Returns at most `count` images, as they are."""
        return np.stack([self.box_set.images[row] for row in range(min(count, len(self.box_set)))])

    def decided_by(self):
        """Returns all of it that decides a value, ready for `activation_key`."""
        varied = self.augmentation != "none"
        return decided_by_images(self.box_set.images) | {
            "boxes": list(self.box_set.boxes) if varied else None,
            "labels": list(self.box_set.labels) if varied else None,
            "max_boxes": self.max_boxes if varied else None,
            "batch_size": self.batch_size,
            "views": self.views,
            "augmentation": self.augmentation,
            "seed": self.seed if varied else None,
        }

    def wrap(self, values, targets, per_token):
        """Gives stored activations the form in which a phase reads them.

        Args:
            values: array (views * n, ...), one view after the other.
            targets: float32 (views * n, max_boxes, 5), corners and label; or None for the boxes as they are.
            per_token: False.

        Returns:
            `BoxSet` with the activations in place of images.
        """
        if targets is None:
            boxes, labels = list(self.box_set.boxes) * self.views, list(self.box_set.labels) * self.views
        else:
            real = [target[target[:, LABEL] >= 0] for target in np.asarray(targets)]
            boxes = [target[:, :LABEL] for target in real]
            labels = [target[:, LABEL].astype(np.int32) for target in real]
        return replace(
            self.box_set,
            images=values,
            boxes=boxes,
            labels=labels,
            names=list(self.box_set.names) * self.views,
            sizes=np.concatenate([self.box_set.sizes] * self.views),
        )
