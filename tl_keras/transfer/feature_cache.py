"""The activation cache: what frozen blocks compute is computed once, and the phases train on what was stored.

Blocks thaw last to first, so whatever lies before the cut of a later phase is still untouched when that phase comes.
One forward pass that stores the activations at the cut of every phase therefore serves them all.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np

from tl_keras.data import ImageSet, augment, make_dataset, steps_per_epoch
from tl_keras.transfer.freezing import block_names, resolve_blocks
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
    blocks, touched, cuts = block_names(model), set(), []
    for phase in phases:
        touched |= set(resolve_blocks(phase.train, blocks))
        cuts.append(find_phase_cut(model, touched))
    return cuts


def bytes_per_example(cuts):
    """Adds up what one example takes at all the cuts, each counted once, in bytes."""
    return sum(
        np.prod(cut.shape[1:]) * np.dtype(keras.backend.standardize_dtype(cut.dtype)).itemsize
        for cut in _distinct(cuts)
    )


def compute_features(model, cuts, image_set, batch_size, *, views=1, augmentation="none", seed=0):
    """Runs the frozen part of a model once over a set of images and stores what it computes at every cut.

    Args:
        model: functional `keras.Model` with one input.
        cuts: list of Keras tensors inside it.
        image_set: `ImageSet` of n images.
        batch_size: images computed at once.
        views: how often to go through the images, each time augmented anew.
        augmentation: a key of `AUGMENTATIONS`; all but "none" ask for a reason to have several views.
        seed: int; view and batch draw from it.

    Returns:
        Dict from the id of each cut to an `ImageSet` of views * n activations in the dtype of the cut, one view after
        the other, with the labels as the augmentation left them.
    """
    distinct = _distinct(cuts)
    prefix = keras.Model(model.input, distinct)
    stores = [np.empty((views * len(image_set), *cut.shape[1:]), cut.dtype) for cut in distinct]
    labels, start = [], 0
    for view in range(views):
        for step, (images, targets) in enumerate(make_dataset(image_set, batch_size)):
            if augmentation != "none":
                number = view * steps_per_epoch(image_set, batch_size) + step
                images, targets = augment(images, targets, augmentation, np.array([seed, number], np.int64))
            # Of a single output Keras returns the array itself.
            outputs = keras.tree.flatten(prefix.predict_on_batch(images))
            for store, activations in zip(stores, outputs, strict=True):
                store[start : start + len(images)] = activations
            labels.append(np.asarray(targets))
            start += len(images)
    names = list(image_set.names) * views
    stored = replace(image_set, labels=np.concatenate(labels), names=names)
    return {id(cut): replace(stored, images=store) for cut, store in zip(distinct, stores, strict=True)}


def _distinct(cuts):
    return list({id(cut): cut for cut in cuts}.values())
