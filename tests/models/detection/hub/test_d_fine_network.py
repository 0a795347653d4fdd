import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import D_FINE
from tl_keras.models.detection.hub.d_fine_network import flatten
from tl_keras.models.detection.hub.d_fine_sizes import make_hub_network
from tl_keras.models.images.backbones import IMAGENET
from tl_keras.models.saved.saving import open_model
from tl_keras.transfer.freezing import block_names

PIXELS = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")


@pytest.fixture(scope="module")
def hub_network():
    network = make_hub_network(D_FINE, 3, 64, 10)
    for variable in network.trainable_variables:  # some are zero at first
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.02))
    return network


@pytest.fixture(scope="module")
def flat(hub_network):
    return flatten(hub_network, IMAGENET, 64, name="flat")


def test_outputs_equal_the_network_of_kerashub(flat, hub_network):
    expected = hub_network((PIXELS - np.array(IMAGENET.mean)) / np.array(IMAGENET.deviation))
    outputs = flat(PIXELS)
    for name, first, others in (
        ("class_logits", "enc_topk_logits", "intermediate_logits"),
        ("boxes", "enc_topk_bboxes", "intermediate_reference_points"),
    ):
        np.testing.assert_allclose(outputs[name][:, 0], expected[first], atol=1e-4)
        np.testing.assert_allclose(outputs[name][:, 1:], expected[others], atol=1e-4)
    np.testing.assert_allclose(outputs["distributions"], expected["intermediate_predicted_corners"][:, 1:], atol=1e-4)
    np.testing.assert_allclose(outputs["starts"], expected["initial_reference_points"][:, 1], atol=1e-4)


def test_layers_are_named_by_block(flat):
    assert block_names(flat) == ["stem", "stage1", "stage2", "stage3", "neck", "head"]
    shapes = {name: tensor.shape[1:] for name, tensor in flat.output.items()}
    assert shapes == {
        "class_logits": (4, 10, 3),
        "boxes": (4, 10, 4),
        "distributions": (2, 10, 132),
        "starts": (10, 4),
    }


def test_a_saved_network_predicts_the_same(flat, tmp_path):
    flat.save(tmp_path / "flat.keras")
    opened = open_model(tmp_path / "flat.keras")
    np.testing.assert_allclose(opened(PIXELS)["boxes"], flat(PIXELS)["boxes"], atol=1e-5)


def test_only_the_backbone_computes_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = flatten(make_hub_network(D_FINE, 3, 64, 10), IMAGENET, 64, name="half")
    finally:
        keras.config.set_dtype_policy("float32")
    dtypes = {layer.name.split(".")[0]: layer.compute_dtype for layer in model.layers}
    assert dtypes["stage1"] == "bfloat16" and dtypes["neck"] == dtypes["head"] == "float32"
    assert all(tensor.dtype == "float32" for tensor in model(PIXELS).values())
