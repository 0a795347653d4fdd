"""Images with boxes as the input of a frozen part."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from tl_keras.data import BoxSet, make_box_dataset, steps_per_epoch
from tl_keras.transfer.activations.image_source import ImageViews, image_key_parts

LABEL_COLUMN = 4
"""Column of the label in a stored target, after the four corners of its box."""


@dataclass(frozen=True, eq=False)
class BoxSource(ImageViews):
    """Iterates over a set of images with boxes, or over several augmented views of it.

    Attributes:
        examples: `BoxSet` of n images.
        batch_size: number of images per batch, at least 1.
        max_boxes: number of box slots per image, see `max_boxes_per_image`.
        views: number of passes over the images, at least 1; each pass draws new augmentations.
        augmentation: a key of `BOX_AUGMENTATIONS`. Several views only make sense with one other than "none".
        seed: int; determines the augmentation together with the view and the batch.
    """

    examples: BoxSet
    batch_size: int
    max_boxes: int
    views: int = 1
    augmentation: str = "none"
    seed: int = 0

    @property
    def target_shape(self):
        """Shape of a stored target, boxes with their labels; None if both stay unchanged."""
        return None if self.augmentation == "none" else (self.max_boxes, LABEL_COLUMN + 1)

    def batches(self):
        """Yields (images, targets, None) for every batch, view by view."""
        steps = self.views * steps_per_epoch(self.examples, self.batch_size)
        dataset = make_box_dataset(self.examples, self.batch_size, max_boxes=self.max_boxes, **self.batch_options)
        for images, targets in dataset.take(steps):
            labels = tf.cast(targets["labels"], tf.float32)[..., None]
            yield images, tf.concat([targets["boxes"], labels], axis=-1), None

    def key_parts(self):
        """Returns everything that determines the values, as parts of `activation_key`."""
        augmented = self.augmentation != "none"
        return (
            image_key_parts(self.examples.images)
            | self.order_key_parts
            | {
                "boxes": list(self.examples.boxes) if augmented else None,
                "labels": list(self.examples.labels) if augmented else None,
                "max_boxes": self.max_boxes if augmented else None,
                "batch_size": self.batch_size,
                "views": self.views,
                "augmentation": self.augmentation,
                "seed": self.seed if augmented else None,
            }
        )

    def wrap(self, values, targets, per_token):
        """Wraps cached activations in the form that a phase reads.

        Args:
            values: array (views * n, ...), view by view.
            targets: float32 (views * n, max_boxes, 5), corners and label, which is negative in an empty slot; or None
                to keep the boxes.
            per_token: ignored.

        Returns:
            `BoxSet` with the activations in place of images.
        """
        order = self.order
        if targets is None:
            boxes, labels = ([part[row] for row in order] for part in (self.examples.boxes, self.examples.labels))
        else:
            used_slots = [target[target[:, LABEL_COLUMN] >= 0] for target in np.asarray(targets)]
            boxes = [slots[:, :LABEL_COLUMN] for slots in used_slots]
            labels = [slots[:, LABEL_COLUMN].astype(np.int32) for slots in used_slots]
        return replace(
            self.examples,
            images=values,
            boxes=boxes,
            labels=labels,
            names=[self.examples.names[row] for row in order],
            sizes=self.examples.sizes[order],
            digests=None,
        )
