import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import D_FINE
from tl_keras.models.detection.d_fine_layers import InnerCells, QueryRefinement, QuerySelection, cell_anchors
from tl_keras.models.detection.hub.d_fine_sizes import make_hub_network

GENERATOR = np.random.default_rng(0)


def draw(*shape):
    return GENERATOR.normal(size=shape).astype("float32")


@pytest.fixture(scope="module")
def hub_network():
    return make_hub_network(D_FINE, 3, 256, 10)


def test_anchors_equal_kerashub(hub_network):
    sources = [np.zeros((1, 32, 32, 1)), np.zeros((1, 16, 16, 1))]
    anchors, is_inner = hub_network.anchor_generator(sources)
    own = cell_anchors([32, 16])
    np.testing.assert_allclose(own[0], anchors[0], rtol=1e-5)
    np.testing.assert_array_equal(own[1], is_inner[0])
    fine = cell_anchors([80])
    assert fine[1].sum() == 78**2 and np.isfinite(fine[0]).all()


def test_maps_of_too_many_cells_are_refused_before_their_anchors_are_computed():
    assert len(cell_anchors([512, 256, 128])[0]) == 344_064
    with pytest.raises(ValueError, match="more than 1,048,576 cells"):
        InnerCells([16_384])(np.zeros((1, 4, 2)))


def test_cells_at_the_border_are_zero():
    cells = np.asarray(InnerCells([80])(np.ones((1, 80 * 80, 2), "float32"))).reshape(80, 80, 2)
    assert not cells[0].any() and not cells[:, -1].any() and cells[1:-1, 1:-1].all()


def test_queries_are_the_cells_with_the_best_scores():
    logits, shifts, features = draw(2, 16, 3), draw(2, 16, 4), draw(2, 16, 5)
    selection = [np.asarray(part) for part in QuerySelection([4], 6)(logits, shifts, features)]
    boxes = shifts + cell_anchors([4])[0]
    for image in range(2):
        best = np.argsort(-logits[image].max(axis=1))[:6]
        expected = (logits[image], 1 / (1 + np.exp(-boxes[image])), boxes[image], features[image])
        for part, values in zip(selection, expected, strict=True):
            np.testing.assert_allclose(part[image], values[best], rtol=1e-5)


@pytest.fixture(scope="module")
def refine(hub_network):
    own = {key: value for key, value in hub_network.decoder.get_config().items() if key not in ("name", "dtype")}
    return QueryRefinement({**own, "trainable": True, "upsampling_factor": 0.5})


def test_images_of_a_batch_are_refined_independently(refine):
    inputs = draw(2, 10, 16), draw(2, 32 * 32 + 16 * 16, 16), draw(2, 10, 4)
    both = refine(*inputs)
    shapes = refine.compute_output_shape(*(part.shape for part in inputs))
    assert [part.shape for part in both] == list(shapes) == [(2, 3, 10, 3), (2, 3, 10, 4), (2, 2, 10, 132), (2, 10, 4)]
    for image in range(2):
        alone = refine(*(part[image : image + 1] for part in inputs))
        for batch, expected in zip(both, alone, strict=True):
            np.testing.assert_allclose(batch[image], expected[0], atol=1e-5)


def test_layers_are_rebuilt_from_their_configuration(refine):
    for layer in (refine, InnerCells([4]), QuerySelection([4], 6)):
        config = keras.saving.serialize_keras_object(layer)
        again = keras.saving.deserialize_keras_object(config)
        assert again.get_config() == layer.get_config()
