"""Images as the input of a frozen part."""

from dataclasses import dataclass, replace

import numpy as np

from tl_keras.data import ImageSet, augment, make_dataset, steps_per_epoch
from tl_keras.transfer.activations.key import digest_arrays, digest_files


class ImageViews:
    """Base of the sources of images: `views` passes over `examples`, a set with `images`."""

    @property
    def num_examples(self):
        """Number of images including all views."""
        return self.views * len(self.examples)

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
        steps = steps_per_epoch(self.examples, self.batch_size)
        for view in range(self.views):
            for step, (images, targets) in enumerate(make_dataset(self.examples, self.batch_size)):
                if self.augmentation != "none":
                    number = np.array([self.seed, view * steps + step], np.int64)
                    images, targets = augment(images, targets, self.augmentation, number)
                yield images, targets, None

    def key_parts(self):
        """Returns everything that determines the values, as parts of `activation_key`."""
        return image_key_parts(self.examples.images) | {
            "labels": self.examples.labels if self.target_shape else None,
            "batch_size": self.batch_size,
            "views": self.views,
            "augmentation": self.augmentation,
            "seed": self.seed if self.augmentation != "none" else None,
        }

    def wrap(self, values, targets, per_token):
        """Wraps cached activations in the form that a phase reads.

        Args:
            values: array (views * n, ...), view by view.
            targets: float32 (views * n, num_classes), or None to keep the labels.
            per_token: ignored.

        Returns:
            `ImageSet` with the activations in place of images.
        """
        labels = np.concatenate([self.examples.labels] * self.views) if targets is None else np.asarray(targets)
        return replace(self.examples, images=values, labels=labels, names=list(self.examples.names) * self.views)


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
