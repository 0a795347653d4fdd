"""Images as what a frozen part computes its activations from."""

from dataclasses import dataclass, replace

import numpy as np

from tl_keras.data import ImageSet, augment, make_dataset, steps_per_epoch
from tl_keras.transfer.activations.key import digest_arrays, digest_files


@dataclass(frozen=True, eq=False)
class ImageSource:
    """A set of images, or several augmented views of it.

    Attributes:
        image_set: `ImageSet` of n images.
        batch_size: images computed at once.
        views: how often to go through the images, each time augmented anew.
        augmentation: a key of `AUGMENTATIONS`; all but "none" ask for a reason to have several views.
        seed: int; view and batch draw from it.
    """

    image_set: ImageSet
    batch_size: int
    views: int = 1
    augmentation: str = "none"
    seed: int = 0

    @property
    def num_examples(self):
        """Number of images that go through the frozen part, all views counted."""
        return self.views * len(self.image_set)

    @property
    def target_shape(self):
        """Shape of a target to store, which augmentation may have mixed; None where the labels stay as they are."""
        return None if self.augmentation == "none" else (len(self.image_set.class_names),)

    def num_rows(self, per_token):
        """Returns the number of rows to store, an int."""
        return self.num_examples

    def batches(self):
        """Yields (images, targets, None) of every batch, one view after the other."""
        steps = steps_per_epoch(self.image_set, self.batch_size)
        for view in range(self.views):
            for step, (images, targets) in enumerate(make_dataset(self.image_set, self.batch_size)):
                if self.augmentation != "none":
                    number = np.array([self.seed, view * steps + step], np.int64)
                    images, targets = augment(images, targets, self.augmentation, number)
                yield images, targets, None

    def sample(self, count):
        """Returns at most `count` images, as they are."""
        return np.stack([self.image_set.images[row] for row in range(min(count, len(self.image_set)))])

    def decided_by(self):
        """Returns all of it that decides a value, ready for `activation_key`."""
        return decided_by_images(self.image_set.images) | {
            "labels": self.image_set.labels if self.target_shape else None,
            "batch_size": self.batch_size,
            "views": self.views,
            "augmentation": self.augmentation,
            "seed": self.seed if self.augmentation != "none" else None,
        }

    def wrap(self, values, targets, per_token):
        """Gives stored activations the form in which a phase reads them.

        Args:
            values: array (views * n, ...), one view after the other.
            targets: float32 (views * n, num_classes), or None for the labels as they are.
            per_token: False.

        Returns:
            `ImageSet` with the activations in place of images.
        """
        labels = np.concatenate([self.image_set.labels] * self.views) if targets is None else np.asarray(targets)
        return replace(self.image_set, images=values, labels=labels, names=list(self.image_set.names) * self.views)


def decided_by_images(images):
    """Returns all of some images that decides their pixels, ready for `activation_key`.

    Args:
        images: uint8 (n, height, width, 3), or `ImageFiles`.
    """
    in_memory = isinstance(images, np.ndarray)
    return {
        "images": digest_arrays([images]) if in_memory else digest_files(images.sources),
        "read_as": None if in_memory else [images.image_size, images.resize],
    }
