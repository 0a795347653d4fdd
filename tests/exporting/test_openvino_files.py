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


@pytest.mark.slow
def test_texts_and_detections(tmp_path):
    source = source_of(text_model(tmp_path), tmp_path, TEXTS)
    assert write_checked(source, Export("openvino"), tmp_path, 1).difference < 1e-5
    assert write_checked(detector_source("faster_rcnn", tmp_path), Export("openvino"), tmp_path, 1).difference < 1e-4
