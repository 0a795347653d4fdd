import json

import pytest

from tests.exporting.tiny_sources import IMAGES, NAMES, TEXTS, detector_source, image_model, source_of, text_model
from tl_keras.exporting.checked_export import write_checked
from tl_keras.exporting.formats import Export

openvino = pytest.importorskip("openvino")


def test_images_have_names_and_classes_inside(tmp_path):
    source = source_of(image_model(), tmp_path, IMAGES)
    assert write_checked(source, Export("openvino"), tmp_path, 1).difference < 1e-5
    model = openvino.Core().read_model(tmp_path / "model.xml")
    assert json.loads(model.get_rt_info("class_names").astype(str)) == list(NAMES)
    assert write_checked(source, Export("openvino", "float16"), tmp_path, 1).difference < 0.01


@pytest.mark.skipif(
    "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    reason="the processor does not compute in bfloat16",
)
def test_bfloat16_is_computed_with_and_close(tmp_path):
    source = source_of(image_model(), tmp_path, IMAGES)
    plain, halved = (write_checked(source, Export("openvino", kind), tmp_path, 1) for kind in (None, "float16"))
    rounded = write_checked(source, Export("openvino", "bfloat16"), tmp_path, 1)
    # Its weights are those of float16: what differs comes from the computation.
    assert plain.difference < halved.difference < rounded.difference < 0.02
    plain_weights, weights = (one.path.with_suffix(".bin").stat().st_size for one in (plain, rounded))
    assert weights < 0.6 * plain_weights


@pytest.mark.slow
def test_texts_and_detections(tmp_path):
    source = source_of(text_model(tmp_path), tmp_path, TEXTS)
    assert write_checked(source, Export("openvino"), tmp_path, 1).difference < 1e-5
    assert write_checked(detector_source("faster_rcnn", tmp_path), Export("openvino"), tmp_path, 1).difference < 1e-4
