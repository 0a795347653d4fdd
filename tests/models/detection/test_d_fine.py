import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import D_FINE, rectangles
from tl_keras.errors import InputError
from tl_keras.models.detection.d_fine import QueryDecoder, build_d_fine
from tl_keras.models.detection.hub.d_fine_sizes import SIZES
from tl_keras.models.detection.settings import DecodingSettings, DFineSettings
from tl_keras.models.weights.matching import layers_with_weights
from tl_keras.transfer.activations.cuts import find_cuts
from tl_keras.transfer.freezing import block_names, freeze_to

IMAGES, TARGETS = rectangles(2)
LOSSES = ("class_loss", "box_loss", "edge_loss")
SETTINGS = DFineSettings(num_queries=12, decoding=DecodingSettings(overlap_threshold=1.0, max_detections=20))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "d_fine_tiny", D_FINE)
        return build_d_fine("d_fine_tiny", 2, 64, SETTINGS)


def losses(model, targets, images=IMAGES):
    outputs = model(images.astype("float32"))
    values = model.image_losses(targets["boxes"], targets["labels"], outputs, training=False)
    return {name: np.asarray(value) for name, value in values.items()}


def behind_neck(model):
    """The head as a detector, and the features that it takes."""
    cut = find_cuts(model)[-1][1]
    return model.behind(cut), np.asarray(keras.Model(model.input, cut)(IMAGES.astype("float32")))


def test_its_layers_are_named_by_block(model):
    assert block_names(model) == ["stem", "stage1", "stage2", "stage3", "neck", "head"]
    assert model.output["class_logits"].shape == (None, 4, 12, 2)


def test_only_one_block_freezes_when_asked(model):
    assert freeze_to(model, "head") == ["head"]
    owners = {variable.path.split(".")[0] for variable in model.trainable_variables}
    freeze_to(model, "all", batch_norm="train")
    assert owners == {"head"}


def test_the_class_layers_are_all_that_know_the_classes(model):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "d_fine_tiny", D_FINE)
        other = build_d_fine("d_fine_tiny", 3, 64, SETTINGS)
    pairs = zip(layers_with_weights(model), layers_with_weights(other), strict=True)
    assert [layer.name for layer, another in pairs if layer.shapes != another.shapes] == list(model.class_layers)


def test_images_without_boxes_teach_the_background(model):
    found = losses(model, {"boxes": TARGETS["boxes"], "labels": np.full_like(TARGETS["labels"], -1)})
    assert (found["class_loss"] > 0).all() and not found["box_loss"].any()
    found = losses(model, TARGETS)
    assert all((found[name] > 0).all() for name in LOSSES)


def test_padding_does_not_change_the_losses(model):
    padded = {"boxes": np.pad(TARGETS["boxes"], ((0, 0), (0, 4), (0, 0)), constant_values=7.0)}
    padded["labels"] = np.pad(TARGETS["labels"], ((0, 0), (0, 4)), constant_values=-1)
    first, second = losses(model, TARGETS), losses(model, padded)
    for name in LOSSES:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-4)


def test_the_detector_behind_a_cut_has_the_same_losses(model):
    behind, features = behind_neck(model)
    first, second = losses(model, TARGETS), losses(behind, TARGETS, features)
    assert block_names(behind) == ["head"]
    for name in LOSSES:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-4)


def test_detections_are_what_the_last_layer_says():
    logits = np.full((1, 3, 2, 2), -9.0, "float32")
    boxes = np.full((1, 3, 2, 4), 0.1, "float32")
    logits[0, 2, 1, 1], boxes[0, 2, 1] = 2.0, (0.5, 0.25, 0.2, 0.5)
    found = QueryDecoder(64, DecodingSettings(overlap_threshold=1.0, max_detections=3))(logits, boxes)
    np.testing.assert_array_equal(found["labels"], [[1, -1, -1]])
    np.testing.assert_allclose(found["scores"][0, 0], 1 / (1 + np.exp(-2)), rtol=1e-5)
    np.testing.assert_allclose(found["boxes"][0, 0], [25.6, 0, 38.4, 32], atol=1e-4)


def test_its_losses_fall(model):
    behind, features = behind_neck(model)
    behind.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    history = behind.fit(features, TARGETS, batch_size=2, epochs=6, verbose=0).history
    assert set(history) == {"loss", *LOSSES}
    assert np.isfinite(history["loss"]).all() and history["box_loss"][-1] < 0.7 * history["box_loss"][0]


def test_it_learns_in_all_its_blocks(model):
    for variable in model.trainable_variables:  # what begins at zero keeps the gradient from what lies before it
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.02))
    before = [np.asarray(variable) for variable in model.trainable_variables]
    model.compile(keras.optimizers.SGD(1e-2), run_eagerly=True)
    model.train_on_batch(IMAGES, TARGETS)
    pairs = zip(model.trainable_variables, before, strict=True)
    changed = {variable.path for variable, old in pairs if not np.array_equal(variable, old)}
    assert {path.split(".")[0] for path in changed} == set(block_names(model))
    assert all(f"{name}/kernel" in changed for name in model.class_layers)
    assert model.predict_on_batch(IMAGES)["boxes"].shape == (2, 20, 4)


def test_more_boxes_than_queries_are_refused(model):
    boxes, labels = np.zeros((2, 13, 4), "float32"), np.full((2, 13), -1)
    with pytest.raises(InputError, match="padded to 13 boxes, but D-FINE finds at most 12: .*num_queries=13"):
        losses(model, {"boxes": boxes, "labels": labels})


@pytest.mark.parametrize(
    "size, image_size, message",
    [
        ("d_fine_smal", 64, "Unknown model.backbone 'd_fine_smal': did you mean 'd_fine_small'"),
        ("d_fine_nano", 70, "image size is 70, expected a multiple of 32.*give 64"),
    ],
)
def test_wrong_arguments_are_refused(size, image_size, message):
    with pytest.raises(InputError, match=message):
        build_d_fine(size, 2, image_size, SETTINGS)
