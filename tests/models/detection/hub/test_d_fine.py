import numpy as np
import pytest

from tests.models.detection.tiny_presets import save_d_fine
from tl_keras.errors import InputError
from tl_keras.models.detection.hub.d_fine import build_preset_d_fine
from tl_keras.models.detection.settings import DFineSettings

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("float32")


NAMES = ("zebra", "unicorn", "person")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "d_fine_own"
    return folder, *save_d_fine(folder, 80)


def test_outputs_equal_the_preset_for_all_its_classes(saved):
    folder, network, converter = saved
    model = build_preset_d_fine(str(folder), 80, 64, DFineSettings(num_queries=12), class_names=None)
    expected = network(converter(IMAGES))
    outputs = model(IMAGES)
    np.testing.assert_allclose(outputs["class_logits"][:, 1:], expected["intermediate_logits"], atol=1e-3)
    np.testing.assert_allclose(outputs["boxes"][:, 1:], expected["intermediate_reference_points"], atol=1e-3)
    assert not model.weights_report.clashes and not model.weights_report.kept_classes


def test_other_classes_image_sizes_and_queries_are_supported(saved):
    folder, network, _ = saved
    model = build_preset_d_fine(str(folder), 3, 96, DFineSettings(num_queries=30), class_names=NAMES)
    assert model(np.zeros((1, 96, 96, 3), "float32"))["boxes"].shape == (1, 4, 30, 4)
    assert (model.name, model.class_names) == ("d_fine_own", NAMES)
    assert model.weights_report.kept_classes == ("zebra", "person")
    ours = [model.get_layer("head.enc_score_head"), *model.get_layer("head.refinement").decoder.class_embed]
    for layer, source in zip(ours, [network.enc_score_head, *network.decoder.class_embed], strict=True):
        np.testing.assert_array_equal(np.asarray(layer.kernel)[:, [0, 2]], np.asarray(source.kernel)[:, [22, 0]])
        assert not np.array_equal(np.asarray(layer.kernel)[:, 1], np.asarray(source.kernel)[:, 1])


def test_an_image_size_that_is_no_multiple_of_32_is_refused_before_the_preset_is_opened():
    with pytest.raises(InputError, match="image size is 70, expected a multiple of 32"):
        build_preset_d_fine("missing", 2, 70, DFineSettings(), class_names=None)
