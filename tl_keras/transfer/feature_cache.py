"""The activation cache: what frozen blocks compute is computed once, and the phases train on what was stored.

Blocks thaw last to first, so whatever lies before the cut of a later phase is still untouched when that phase comes.
One forward pass that stores the activations at the cut of every phase therefore serves them all.
"""

import contextlib
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from tl_keras.data import ImageSet, augment, make_dataset, steps_per_epoch
from tl_keras.transfer.activation_key import activation_key, digest_arrays, digest_files
from tl_keras.transfer.freezing import learning_blocks
from tl_keras.transfer.prefix import find_phase_cut


@dataclass(frozen=True, eq=False)
class Features:
    """Stored activations at one cut, in place of images.

    Attributes:
        train: `ImageSet` of views * n activations, one view after the other.
        validation: `ImageSet` of activations.
        views: how many augmented views of each training image were stored; an epoch reads one of them.
    """

    train: ImageSet
    validation: ImageSet
    views: int = 1


def find_cuts_of_phases(model, phases):
    """Finds for each phase the last point of a model that nothing has touched until the phase ends.

    Args:
        model: functional `keras.Model` with one input.
        phases: list of `Phase`.

    Returns:
        List of a Keras tensor for each phase, or None where the whole model has to run.
    """
    touched, cuts = set(), []
    for phase in phases:
        touched |= set(learning_blocks(model, phase.train))
        cuts.append(find_phase_cut(model, touched))
    return cuts


def bytes_per_example(cuts):
    """Adds up what one example takes at all the cuts, each counted once, in bytes."""
    return sum(
        np.prod(cut.shape[1:]) * np.dtype(keras.backend.standardize_dtype(cut.dtype)).itemsize
        for cut in _distinct(cuts)
    )


class FrozenPart:
    """The part of a model up to some cuts, compiled once for every set of images that goes through it.

    Args:
        model: functional `keras.Model` with one input.
        cuts: list of Keras tensors inside it.
        store: `ActivationStore` that keeps the activations on the disk, also for other runs; None keeps them in memory.
    """

    def __init__(self, model, cuts, store=None):
        self._cuts = _distinct(cuts)
        self._store = store
        self._prefix = prefix = keras.Model(model.input, self._cuts)
        self._dtype = model.input.dtype

        # Not `predict`: it would trace the network again for a last batch that is smaller than the others.
        @tf.function(input_signature=[tf.TensorSpec((None, *model.input.shape[1:]), self._dtype)])
        def compute(images):
            return keras.tree.flatten(prefix(images, training=False))

        self._compute = compute

    def compute(self, image_set, batch_size, *, views=1, augmentation="none", seed=0):
        """Runs a set of images through once and stores what comes out at every cut, unless it is stored already.

        Args:
            image_set: `ImageSet` of n images.
            batch_size: images computed at once.
            views: how often to go through the images, each time augmented anew.
            augmentation: a key of `AUGMENTATIONS`; all but "none" ask for a reason to have several views.
            seed: int; view and batch draw from it.

        Returns:
            Dict from the id of each cut to an `ImageSet` of views * n activations in the dtype of the cut, one view
            after the other, with the labels as the augmentation left them.
        """
        settings = {"batch_size": batch_size, "views": views, "augmentation": augmentation, "seed": seed}
        count, classes = views * len(image_set), len(image_set.class_names)
        specs = [((count, classes), "float32"), *(((count, *cut.shape[1:]), cut.dtype) for cut in self._cuts)]
        batches = self._batches(image_set, **settings)
        if self._store is None:
            labels, *arrays = _fill([np.empty(shape, dtype) for shape, dtype in specs], batches)
        else:
            labels, *arrays = self._stored(specs, batches, image_set, settings)
        stored = replace(image_set, labels=np.asarray(labels), names=list(image_set.names) * views)
        return {id(cut): replace(stored, images=array) for cut, array in zip(self._cuts, arrays, strict=True)}

    def _batches(self, image_set, batch_size, views, augmentation, seed):
        """Yields the labels and the activations of every batch."""
        steps = steps_per_epoch(image_set, batch_size)
        for view in range(views):
            for step, (images, targets) in enumerate(make_dataset(image_set, batch_size)):
                if augmentation != "none":
                    number = np.array([seed, view * steps + step], np.int64)
                    images, targets = augment(images, targets, augmentation, number)
                yield [targets, *self._compute(tf.cast(images, self._dtype))]

    def _stored(self, specs, batches, image_set, settings):
        keys = self._keys(specs, image_set, settings)
        arrays = [self._store.open(key) for key in keys]
        if any(array is None for array in arrays):
            with contextlib.ExitStack() as stack:
                created = [self._store.create(key, *spec) for key, spec in zip(keys, specs, strict=True)]
                writers = [stack.enter_context(entry) for entry in created]
                for batch in batches:
                    for writer, rows in zip(writers, batch, strict=True):
                        writer.append(np.asarray(rows))
            arrays = [self._store.open(key) for key in keys]
        return arrays

    def _keys(self, specs, image_set, settings):
        """Digests everything that decides a value: images, labels, layers, weights, settings and versions."""
        images = image_set.images
        in_memory = isinstance(images, np.ndarray)
        parts = settings | {
            "images": digest_arrays([images]) if in_memory else digest_files(images.sources),
            "read_as": None if in_memory else [images.image_size, images.resize],
            "labels": image_set.labels,
            "layers": [[layer.name, repr(layer.get_config())] for layer in self._prefix.layers],
            "weights": digest_arrays(weight.numpy() for weight in self._prefix.weights),
            "versions": [keras.__version__, tf.__version__, np.__version__],
        }
        names = ["labels", *(cut._keras_history.operation.name for cut in self._cuts)]
        return [activation_key(parts | {"what": [name, *spec]}) for name, spec in zip(names, specs, strict=True)]


def _fill(arrays, batches):
    start = 0
    for batch in batches:
        stop = start + len(batch[0])
        for array, rows in zip(arrays, batch, strict=True):
            array[start:stop] = rows
        start = stop
    return arrays


def _distinct(cuts):
    return list({id(cut): cut for cut in cuts}.values())
