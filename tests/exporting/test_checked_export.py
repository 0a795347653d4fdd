import keras
import numpy as np
import pytest

from tests.exporting.tiny_sources import IMAGES, TEXTS, detector_source, image_model, source_of, text_model
from tl_keras.errors import InputError
from tl_keras.exporting import checked_export
from tl_keras.exporting.checked_export import predict_by_keras, write_checked
from tl_keras.exporting.formats import FORMATS, Export


def test_keras_files_are_copied_and_their_difference_is_zero(tmp_path):
    one = write_checked(source_of(image_model(), tmp_path, IMAGES), Export("keras"), tmp_path, 1)
    assert one.path.read_bytes() == (tmp_path / "source.keras").read_bytes()
    assert (one.difference, one.size) == (0, one.path.stat().st_size)
    assert keras.models.load_model(one.path).output_shape == (None, 3)


def test_every_format_has_an_opener():
    assert {"keras", "savedmodel", *checked_export.OPENERS} == set(FORMATS)


@pytest.mark.slow
def test_texts_and_detections_as_saved_models(tmp_path):
    assert (
        write_checked(source_of(text_model(tmp_path), tmp_path, TEXTS), Export("savedmodel"), tmp_path, 1).difference
        < 1e-5
    )
    one = write_checked(detector_source("yolo_v8", tmp_path), Export("savedmodel"), tmp_path, 1)
    assert one.difference < 1e-5 and set(one.predict(IMAGES | {"images": np.zeros((1, 64, 64, 3), "float32")})) == {
        "boxes",
        "class_names",
        "labels",
        "scores",
    }


def test_an_export_that_computes_something_else_is_removed(tmp_path, monkeypatch):
    source = source_of(image_model(), tmp_path, IMAGES)
    wrong = keras.Model(image_model().input, 1 - image_model().output)
    monkeypatch.setattr(checked_export, "predict_by_keras", lambda model, inputs: predict_by_keras(wrong, inputs))
    with pytest.raises(InputError, match="savedmodel computes other numbers than the model"):
        write_checked(source, Export("savedmodel"), tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["source.keras"]


def test_errors_of_converters_are_one_sentence_and_keep_the_old_export(tmp_path, monkeypatch):
    (tmp_path / "model.tflite").write_text("old")

    def fail(*arguments):
        raise RuntimeError("unknown op\nand more")

    monkeypatch.setattr(checked_export, "write_litert", fail)
    with pytest.raises(
        InputError, match=r"litert cannot hold this model \(RuntimeError: unknown op\): take savedmodel"
    ):
        write_checked(source_of(image_model(), tmp_path, IMAGES), Export("litert"), tmp_path, 1)
    assert (tmp_path / "model.tflite").read_text() == "old"


@pytest.mark.parametrize("text", ["/x/variables: No space left on device", "OOM when allocating tensor"])
def test_a_full_disk_and_exhausted_memory_are_not_laid_to_the_format(tmp_path, monkeypatch, text):
    def fail(*arguments):
        raise RuntimeError(text)

    monkeypatch.setattr(checked_export, "write_saved_model", fail)
    with pytest.raises(RuntimeError, match=text):
        write_checked(source_of(image_model(), tmp_path, IMAGES), Export("savedmodel"), tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["source.keras"]
