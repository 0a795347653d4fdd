import sys
import types

import pytest

from tl_keras.errors import InputError
from tl_keras.exporting import formats
from tl_keras.exporting.formats import (
    FORMATS,
    Export,
    check_model_fits,
    check_packages,
    check_processor,
    choose_exports,
)


def test_a_quantized_export_follows_the_plain_one_where_the_format_has_it():
    assert [export.label for export in choose_exports("litert", "int8")] == ["litert", "litert int8"]
    everything = [export.label for export in choose_exports("all", "float16")]
    assert [label for label in everything if "float16" not in label] == list(FORMATS)
    quantized = everything.index("litert float16")
    assert everything[quantized - 1] == "litert" and "onnx float16" not in everything


def test_exports_have_different_paths():
    exports = [export for kind in (None, *formats.QUANTIZATIONS) for export in choose_exports("all", kind)]
    assert len({export.path for export in exports}) == len(set(exports))
    assert Export("onnx", "int8").path == "model.int8.onnx"
    assert Export("savedmodel").path == "saved_model/1"


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("onxx", None, "Unknown --format 'onxx': did you mean 'onnx'?"),
        ("onnx", "int4", "Unknown --quantize 'int4': did you mean 'int8'?"),
        ("keras", "int8", "--quantize int8 is not for keras: take --format onnx or litert."),
    ],
)
def test_unknown_names_and_impossible_pairs_are_refused(name, kind, message):
    with pytest.raises(InputError) as error:
        choose_exports(name, kind)
    assert message in str(error.value)


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    check_packages([Export("keras"), Export("savedmodel")])
    with pytest.raises(InputError, match="--format onnx, litert needs packages that are missing: pip install tf2onnx"):
        check_packages([Export("onnx"), Export("litert")])


@pytest.mark.parametrize("capabilities", [["FP32", "INT8"], ["FP32", "BF16"]])
def test_bfloat16_is_refused_where_the_processor_lacks_it(monkeypatch, capabilities):
    core = types.SimpleNamespace(get_property=lambda device, name: capabilities)
    monkeypatch.setitem(sys.modules, "openvino", types.SimpleNamespace(Core=lambda: core))
    check_processor([Export("openvino"), Export("openvino", "float16")])
    if "BF16" in capabilities:
        check_processor([Export("openvino", "bfloat16")])
    else:
        with pytest.raises(InputError, match="needs a processor that computes in bfloat16"):
            check_processor([Export("openvino", "bfloat16")])


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [
        ("onnx", {"detector": "d_fine"}, "--format onnx cannot hold d_fine: take savedmodel or litert."),
        ("litert", {"windows": 2}, "cannot express text.windows above 1: take savedmodel or keras"),
        ("onnx", {"truncation": "head_tail"}, "cannot express text.truncation head_tail"),
        ("openvino", {"pairs": True}, "cannot express pairs of texts"),
    ],
)
def test_formats_that_cannot_hold_the_model_are_refused(name, model, message):
    with pytest.raises(InputError, match=message):
        check_model_fits([Export(name)], **model)
    check_model_fits([Export("keras"), Export("savedmodel")], **model)


def test_every_format_says_what_it_needs():
    assert all(module and package for entry in FORMATS.values() for module, package in entry.packages)
