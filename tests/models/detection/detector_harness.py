"""Checks that every detector must pass, like the `run_task_test` of KerasHub.

A new detector is one entry of `TINY_DETECTORS`; `test_detector.py` runs all checks on all entries.
"""

import contextlib
import functools
from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import TINY_DETECTORS, build_tiny, rectangles
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.models.weights.loading import load_weights
from tl_keras.models.weights.matching import layers_with_weights
from tl_keras.transfer.activations.cuts import find_phase_cut
from tl_keras.transfer.freezing import block_names, freeze_to

IMAGES, TARGETS = rectangles(3)
WITHOUT_BOXES = {"boxes": TARGETS["boxes"], "labels": np.full_like(TARGETS["labels"], -1)}


@functools.cache
def shared(name):
    """Builds a tiny detector once; checks must not change it, or borrow it."""
    keras.utils.set_random_seed(0)
    return build_tiny(name)


@contextlib.contextmanager
def borrowed(name):
    """Lends the shared detector to a check that changes its weights or class names, and restores them."""
    model = shared(name)
    weights, names = model.get_weights(), model.class_names
    yield model
    model.set_weights(weights)
    model.class_names = names


@functools.cache
def shared_of_three_classes(name):
    """Builds a tiny detector of three classes once; checks may change its weights."""
    return build_tiny(name, 3)


def losses(model, targets, images=IMAGES):
    """Computes the losses of each image as NumPy arrays."""
    outputs = model(images.astype("float32"))
    values = model.image_losses(targets["boxes"], targets["labels"], outputs, training=False)
    return {name: np.asarray(value) for name, value in values.items()}


def perturb(model, deviation):
    """Adds noise to all weights, so that no two are equal and none is zero."""
    generator = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable) + generator.normal(0, deviation, variable.shape))


def assert_losses_equal(first, second, rtol=1e-4):
    """Compares two dictionaries of losses."""
    assert set(first) == set(second)
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=rtol, err_msg=name)


def check_layers_are_named_by_block(name, _folder):
    """Checks the blocks and that every layer is named `BLOCK.LAYER`."""
    model = shared(name)
    assert block_names(model) == list(TINY_DETECTORS[name].blocks)
    assert all("." in layer.name for layer in model.layers)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def check_class_layers_are_all_that_depend_on_the_classes(name, _folder):
    """Compares the shapes of detectors of two and of three classes."""
    pairs = zip(layers_with_weights(shared(name)), layers_with_weights(shared_of_three_classes(name)), strict=True)
    different = {layer.name for layer, other in pairs if layer.shapes != other.shapes}
    assert different == set(shared(name).class_layers)


def check_only_unfrozen_blocks_are_trainable(name, _folder):
    """Freezes all but the last two blocks."""
    model, blocks = shared(name), TINY_DETECTORS[name].blocks[-2:]
    assert freeze_to(model, blocks[0]) == list(blocks)
    owners = {variable.path.split(".")[0] for variable in model.trainable_variables}
    freeze_to(model, "all", batch_norm="train")
    assert owners == set(blocks)


def check_images_without_boxes_train_the_background(name, _folder):
    """Checks which losses images with and without boxes have."""
    entry, without = TINY_DETECTORS[name], losses(shared(name), WITHOUT_BOXES)
    assert set(without) == {*entry.class_losses, *entry.box_losses}
    assert all((without[loss] > 0).all() for loss in entry.class_losses)
    assert not any(without[loss].any() for loss in entry.box_losses)
    assert all((values > 0).all() for values in losses(shared(name), TARGETS).values())


def check_evaluation_is_deterministic(name, _folder):
    """Computes the losses twice."""
    assert_losses_equal(losses(shared(name), TARGETS), losses(shared(name), TARGETS), rtol=0)


def check_padding_does_not_change_the_losses(name, _folder):
    """Pads the boxes by four more."""
    padded = {"boxes": np.pad(TARGETS["boxes"], ((0, 0), (0, 4), (0, 0)), constant_values=7.0)}
    padded["labels"] = np.pad(TARGETS["labels"], ((0, 0), (0, 4)), constant_values=-1)
    model, changes = shared(name), TINY_DETECTORS[name].whole_samples
    with pytest.MonkeyPatch.context() as patch:
        if changes:
            patch.setattr(model, "settings", replace(model.settings, **changes))
        assert_losses_equal(losses(model, TARGETS), losses(model, padded))


def check_suffix_models_have_the_same_outputs_and_losses(name, _folder):
    """Cuts the detector inside its backbone and behind it."""
    model, images = shared(name), IMAGES.astype("float32")
    blocks = block_names(model)
    first_own = next(place for place, block in enumerate(blocks) if block in ("neck", "proposals"))
    for place in (2, first_own):
        cut = find_phase_cut(model, blocks[place:])
        prefix, suffix = keras.Model(model.input, cut), model.suffix_model(cut)
        assert (block_names(prefix), block_names(suffix)) == (blocks[:place], blocks[place:])
        assert {id(variable) for variable in suffix.variables} < {id(variable) for variable in model.variables}
        features = np.asarray(prefix(images))
        keras.tree.map_structure(
            lambda one, other: np.testing.assert_allclose(one, other, atol=1e-4), suffix(features), model(images)
        )
        assert_losses_equal(losses(model, TARGETS), losses(suffix, TARGETS, features))


def check_saved_inference_model_predicts_the_same(name, folder):
    """Saves the inference model and opens it with the checked reader."""
    model, images = shared(name), IMAGES.astype("float32")
    expected = {key: np.asarray(part) for key, part in model.predict_step((images,)).items()}
    shapes = {key: part.shape for key, part in expected.items()}
    assert shapes == {"boxes": (3, 20, 4), "scores": (3, 20), "labels": (3, 20)}
    assert set(np.unique(expected["labels"])) <= {-1, 0, 1}
    save_model(model.inference_model(), folder / "model.keras", class_names=["red", "blue"])
    detections = open_model(folder / "model.keras")(images)
    for key, part in expected.items():
        np.testing.assert_allclose(detections[key], part, atol=1e-3)


def check_a_step_changes_every_block(name, _folder):
    """Trains one step on perturbed weights; zeros would block the gradients of the layers before them."""
    model = shared_of_three_classes(name)
    perturb(model, 0.02)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    model.compile(keras.optimizers.SGD(1e-2), run_eagerly=True)
    history = model.fit(IMAGES, TARGETS, batch_size=3, verbose=0).history
    entry = TINY_DETECTORS[name]
    assert set(history) == {"loss", *entry.class_losses, *entry.box_losses}
    assert np.isfinite(history["loss"]).all()
    pairs = zip(model.trainable_variables, before, strict=True)
    changed = {variable.path for variable, old in pairs if not np.array_equal(variable, old)}
    assert {path.split(".")[0] for path in changed} == set(entry.blocks)
    assert all(f"{layer}/kernel" in changed for layer in model.class_layers)


def check_classes_known_by_name_keep_their_weights(name, folder):
    """Loads a detector of three classes into one of two classes that shares one name."""
    old = shared_of_three_classes(name)
    with borrowed(name) as new:
        old.class_names, new.class_names = ("a", "b", "c"), ("c", "d")
        perturb(old, 0.1)
        initial = _class_arrays(new, 1)
        save_model(old, folder / "old.keras")
        report = load_weights(new, folder / "old.keras")
        assert report.kept_classes == ("c",) and not report.missing and not report.unexpected
        assert set(report.clashes) == {f"{layer} (other classes)" for layer in new.class_layers}
        _assert_arrays_equal(_class_arrays(new, 0), _class_arrays(old, 2))
        _assert_arrays_equal(_class_arrays(new, 1), initial)
        expected = {layer.name: layer.read() for layer in layers_with_weights(old)}
        for layer in layers_with_weights(new):
            if layer.name not in new.class_layers:
                _assert_arrays_equal(layer.read(), expected[layer.name])


def _class_arrays(model, label):
    """Returns the weights of one class as a list of arrays."""
    layers = {layer.name: layer for layer in layers_with_weights(model)}
    arrays = [array for name in model.class_layers for array in layers[name].read()]
    return [array.reshape(*array.shape[:-1], -1, model.num_classes)[..., label] for array in arrays]


def _assert_arrays_equal(arrays, expected):
    for array, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, other)


CHECKS = [
    check_layers_are_named_by_block,
    check_class_layers_are_all_that_depend_on_the_classes,
    check_only_unfrozen_blocks_are_trainable,
    check_images_without_boxes_train_the_background,
    check_evaluation_is_deterministic,
    check_padding_does_not_change_the_losses,
    check_suffix_models_have_the_same_outputs_and_losses,
    check_saved_inference_model_predicts_the_same,
    check_a_step_changes_every_block,
    check_classes_known_by_name_keep_their_weights,
]
