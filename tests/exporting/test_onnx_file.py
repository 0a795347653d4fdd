import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exporting.tiny_sources import IMAGES, NAMES, TEXTS, detector_source, image_model, source_of, text_model
from tl_keras.exporting.checked_export import write_checked
from tl_keras.exporting.formats import Export

pytest.importorskip("tf2onnx")
onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")


def test_images_have_names_and_classes_inside(tmp_path):
    source = source_of(image_model(), tmp_path, IMAGES, samples=IMAGES)
    assert write_checked(source, Export("onnx"), tmp_path, 1).difference < 1e-5
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    assert session.get_inputs()[0].name == "images"
    assert json.loads(session.get_modelmeta().custom_metadata_map["class_names"]) == list(NAMES)
    assert session.run(["probabilities"], {"images": IMAGES["images"][:1]})[0].shape == (1, 3)
    quantized = write_checked(source, Export("onnx", "int8"), tmp_path, 1)
    assert 0 < quantized.difference < 0.05


def test_texts_have_their_tokenizer_beside(tmp_path):
    source = source_of(text_model(tmp_path), tmp_path, TEXTS)
    assert write_checked(source, Export("onnx"), tmp_path, 1).difference < 1e-5
    assert write_checked(source, Export("onnx", "int8"), tmp_path, 1).difference < 0.05
    assert (tmp_path / "tokenizer.json").is_file()


def test_detections_are_those_after_suppression(tmp_path):
    assert write_checked(detector_source("faster_rcnn", tmp_path), Export("onnx"), tmp_path, 1).difference < 1e-4


def test_the_documented_loader_needs_neither_tensorflow_nor_this_project(tmp_path):
    write_checked(source_of(text_model(tmp_path), tmp_path, TEXTS), Export("onnx"), tmp_path, 1)
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    loader = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    code = f"import sys; sys.modules.update(dict.fromkeys(['tl_keras', 'tensorflow', 'keras']))\n{loader}"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(result.stdout)) <= set(NAMES)
