import zipfile

import pytest

from tests.exporting.tiny_sources import IMAGES, NAMES, TEXTS, detector_source, image_model, source_of, text_model
from tl_keras.exporting.checked_export import write_checked
from tl_keras.exporting.formats import Export

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


def test_images_have_names_and_classes_inside(tmp_path):
    source = source_of(image_model(), tmp_path, IMAGES, samples=IMAGES)
    assert write_checked(source, Export("litert"), tmp_path, 1).difference < 1e-5
    run = interpreter.Interpreter(str(tmp_path / "model.tflite")).get_signature_runner()
    assert run(images=IMAGES["images"][:1])["probabilities"].shape == (1, 3)
    labels = zipfile.ZipFile(tmp_path / "model.tflite").read("labels.txt").decode()
    assert labels.splitlines() == list(NAMES)


@pytest.mark.parametrize("kind", ["float16", "int8"])
def test_quantized_exports_are_close(tmp_path, kind):
    source = source_of(image_model(), tmp_path, IMAGES, samples=IMAGES)
    assert 0 < write_checked(source, Export("litert", kind), tmp_path, 1).difference < 0.05


@pytest.mark.slow
def test_texts_and_detections(tmp_path):
    assert (
        write_checked(source_of(text_model(tmp_path), tmp_path, TEXTS), Export("litert"), tmp_path, 1).difference < 1e-5
    )
    assert write_checked(detector_source("d_fine", tmp_path), Export("litert"), tmp_path, 1).difference < 1e-4
