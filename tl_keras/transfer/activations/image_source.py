"""Images as the input of a frozen part."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from tl_keras.data import ImageSet, make_dataset, rows_of_step, steps_per_epoch
from tl_keras.transfer.activations.key import digest_arrays, digest_files


class ImageViews:
    """Base of the sources of images: `views` passes over `examples`, a set with `images`.

    Augmented views come in the order, and with the augmentation, of the first epochs of a training without a cache, so
    that images are mixed with partners from the whole set, not with their neighbours in it.
    """

    @property
    def num_examples(self):
        """Number of images including all views."""
        return self.views * len(self.examples)

    @property
    def order(self):
        """Rows of `examples` in the order of the batches, int64 (views * n,)."""
        seed, count = self.batch_options.get("shuffle_seed"), len(self.examples)
        views = (tf.constant(view, tf.int64) for view in range(self.views))
        return np.concatenate([rows_of_step(view, self.examples, count, seed).numpy() for view in views])

    @property
    def batch_options(self):
        """Arguments of `make_dataset` or `make_box_dataset` for all views; a dictionary, empty without augmentation."""
        if self.augmentation == "none":
            return {}
        return {"shuffle_seed": self.seed, "augmentation": self.augmentation}

    @property
    def order_key_parts(self):
        """Parts of `activation_key` for the order; none without augmentation, whose older keys stay valid."""
        return {"order": "shuffled"} if self.batch_options else {}

    def num_rows(self, per_token):
        """Returns the number of rows to store; `per_token` is ignored."""
        return self.num_examples

    def sample(self, count):
        """Returns at most `count` images without augmentation."""
        return np.stack([self.examples.images[row] for row in range(min(count, len(self.examples)))])


@dataclass(frozen=True, eq=False)
class ImageSource(ImageViews):
    """Iterates over a set of images, or over several augmented views of it.

    Attributes:
        examples: `ImageSet` of n images.
        batch_size: number of images per batch, at least 1.
        views: number of passes over the images, at least 1; each pass draws new augmentations.
        augmentation: a key of `AUGMENTATIONS`. Several views only make sense with an augmentation other than "none".
        seed: int; determines the augmentation together with the view and the batch.
    """

    examples: ImageSet
    batch_size: int
    views: int = 1
    augmentation: str = "none"
    seed: int = 0

    @property
    def target_shape(self):
        """Shape of a stored target, which augmentation may have mixed; None if the labels stay unchanged."""
        return None if self.augmentation == "none" else (len(self.examples.class_names),)

    def batches(self):
        """Yields (images, targets, None) for every batch, view by view."""
        steps = self.views * steps_per_epoch(self.examples, self.batch_size)
        for images, targets in make_dataset(self.examples, self.batch_size, **self.batch_options).take(steps):
            yield images, targets, None

    def key_parts(self):
        """Returns everything that determines the values, as parts of `activation_key`."""
        return (
            image_key_parts(self.examples.images)
            | self.order_key_parts
            | {
                "labels": self.examples.labels if self.target_shape else None,
                "batch_size": self.batch_size,
                "views": self.views,
                "augmentation": self.augmentation,
                "seed": self.seed if self.batch_options else None,
            }
        )

    def wrap(self, values, targets, per_token):
        """Wraps cached activations in the form that a phase reads.

        Args:
            values: array (views * n, ...), view by view.
            targets: float32 (views * n, num_classes), or None to keep the labels.
            per_token: ignored.

        Returns:
            `ImageSet` with the activations in place of images.
        """
        order = self.order
        labels = self.examples.labels[order] if targets is None else np.asarray(targets)
        names = [self.examples.names[row] for row in order]
        return replace(self.examples, images=values, labels=labels, names=names, digests=None)


def image_key_parts(images):
    """Returns everything that determines the pixels of images, as parts of `activation_key`.

    Args:
        images: uint8 (n, height, width, 3), or `ImageFiles`.
    """
    in_memory = isinstance(images, np.ndarray)
    return {
        "images": digest_arrays([images]) if in_memory else digest_files(images.sources),
        "read_as": None if in_memory else [images.image_size, images.resize],
    }
