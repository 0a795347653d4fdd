import keras_hub
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import D_FINE
from tl_keras.models.detection.hub.d_fine_sizes import SIZES, make_hub_network


@pytest.mark.parametrize(
    "name", ["d_fine_nano", *(pytest.param(name, marks=pytest.mark.slow) for name in list(SIZES)[1:])]
)
def test_a_size_has_the_parameter_count_of_its_preset(name):
    network = make_hub_network(SIZES[name], 80, 64, 10)
    preset = keras_hub.models.DFineBackbone.presets[f"{name.replace('d_fine', 'dfine')}_coco"]
    assert network.count_params() == preset["metadata"]["params"]


def test_initial_kernels_differ_and_scale_by_fan_in():
    network = make_hub_network(D_FINE, 2, 64, 10)
    attention = network.decoder.decoder_layers[0].self_attn
    kernels = [np.asarray(layer.kernel) for layer in (attention.q_proj, attention.k_proj, attention.out_proj)]
    np.testing.assert_allclose([kernel.std() for kernel in kernels], 1 / 4, rtol=0.15)
    assert not np.array_equal(kernels[0], kernels[1])
    convolution = np.asarray(network.encoder.fpn_blocks[0].conv2.convolution.kernel)
    np.testing.assert_allclose(convolution.std(), convolution[..., 0].size ** -0.5, rtol=0.3)


def test_an_initial_network_predicts_background_and_moves_no_boxes():
    network = make_hub_network(D_FINE, 2, 64, 10)
    outputs = network(np.random.default_rng(0).uniform(0, 1, (2, 64, 64, 3)).astype("float32"))
    probability = 1 / (1 + np.exp(-np.asarray(network.enc_score_head.bias)))
    np.testing.assert_allclose(probability, 0.01, rtol=1e-5)
    np.testing.assert_allclose(outputs["intermediate_reference_points"][:, 0], outputs["enc_topk_bboxes"], atol=1e-4)
