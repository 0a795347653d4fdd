"""Formats of exports: their files, packages and quantizations. Loads no TensorFlow."""

import importlib
import importlib.util
from dataclasses import dataclass

from tl_keras.errors import InputError, unknown_name

ALL = "all"
FLOAT16, BFLOAT16, INT8 = "float16", "bfloat16", "int8"
QUANTIZATIONS = (FLOAT16, BFLOAT16, INT8)


@dataclass(frozen=True)
class Format:
    """Describes a format."""

    stem: str
    """Path of the export in its folder, without suffix."""
    suffix: str
    packages: tuple[tuple[str, str], ...] = ()
    """(module, name on the package index) of what converts and opens it, besides TensorFlow."""
    quantizations: tuple[str, ...] = ()
    holds_tokenizer: bool = False
    """Whether the export of a text classifier takes strings; the others take token ids."""


FORMATS = {
    "keras": Format("model", ".keras", holds_tokenizer=True),
    "savedmodel": Format("saved_model/1", "", holds_tokenizer=True),
    "onnx": Format(
        "model",
        ".onnx",
        (("tf2onnx", "tf2onnx"), ("onnx", "onnx"), ("onnxruntime", "onnxruntime")),
        (INT8,),
    ),
    "litert": Format("model", ".tflite", (("ai_edge_litert", "ai-edge-litert"),), (FLOAT16, INT8)),
    "openvino": Format("model", ".xml", (("openvino", "openvino"),), (FLOAT16, BFLOAT16)),
}
UNSUPPORTED_DETECTORS = {"onnx": ("d_fine",)}
"""Detectors with operations that a converter lacks."""


@dataclass(frozen=True)
class Export:
    """Names one export: a format, perhaps quantized."""

    format: str
    quantization: str | None = None

    @property
    def label(self):
        """Name for tables, such as "litert int8"."""
        return " ".join(filter(None, (self.format, self.quantization)))

    @property
    def path(self):
        """Path in the folder of the exports, such as "model.int8.onnx"."""
        one = FORMATS[self.format]
        return f"{one.stem}{f'.{self.quantization}' if self.quantization else ''}{one.suffix}"


def choose_exports(name, quantization=None):
    """Lists what a command asks for.

    Args:
        name: a format, or "all".
        quantization: one of `QUANTIZATIONS` or None; a quantized export follows the plain one, which it is compared
            with.

    Returns:
        List of `Export`.

    Raises:
        InputError: a name is unknown, or the format does not support the quantization.
    """
    if name not in (*FORMATS, ALL):
        raise unknown_name("--format", name, [*FORMATS, ALL])
    if quantization not in (None, *QUANTIZATIONS):
        raise unknown_name("--quantize", quantization, QUANTIZATIONS)
    names = [name] if name != ALL else list(FORMATS)
    if name != ALL and quantization and quantization not in FORMATS[name].quantizations:
        able = [one for one, entry in FORMATS.items() if quantization in entry.quantizations]
        raise InputError(f"--quantize {quantization} is not for {name}: take --format {' or '.join(able)}.")
    return [
        Export(one, kind)
        for one in names
        for kind in (None, *([quantization] if quantization in FORMATS[one].quantizations else []))
    ]


def check_packages(exports):
    """Refuses exports whose packages are not installed.

    Args:
        exports: list of `Export`.

    Raises:
        InputError: names the packages, and the command that installs them.
    """
    names = dict.fromkeys(export.format for export in exports)
    missing = {
        name: [package for module, package in FORMATS[name].packages if importlib.util.find_spec(module) is None]
        for name in names
    }
    packages = dict.fromkeys(package for group in missing.values() for package in group)
    if packages:
        without = ", ".join(name for name, group in missing.items() if group)
        raise InputError(f"--format {without} needs packages that are missing: pip install {' '.join(packages)}")


def check_processor(exports):
    """Refuses exports that compute in bfloat16 where the processor does not, since nothing could be measured.

    Args:
        exports: list of `Export`, whose packages are installed.

    Raises:
        InputError: the processor lacks the instructions.
    """
    if not any(export.quantization == BFLOAT16 for export in exports):
        return
    core = importlib.import_module("openvino").Core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise InputError(
            "--quantize bfloat16 needs a processor that computes in bfloat16 (AMX or AVX-512 BF16), and this one does "
            "not: export openvino without it; where a processor can, OpenVINO chooses bfloat16 by itself."
        )


def check_model_fits(exports, *, detector=None, truncation="head", windows=1, pairs=False):
    """Refuses exports in formats that cannot hold the model of a run.

    Args:
        exports: list of `Export`.
        detector: name of the detector; None for a classifier.
        truncation: part of a long text that a text classifier keeps.
        windows: number of rows that it splits a long text into.
        pairs: whether it takes pairs of texts.

    Raises:
        InputError: names the format and one that holds the model.
    """
    for export in exports:
        entry = FORMATS[export.format]
        if detector in UNSUPPORTED_DETECTORS.get(export.format, ()):
            raise InputError(f"--format {export.format} cannot hold {detector}: take savedmodel or litert.")
        reasons = {
            "text.windows above 1": windows > 1,
            "text.truncation head_tail": truncation == "head_tail",
            "pairs of texts": pairs,
        }
        if not entry.holds_tokenizer and any(reasons.values()):
            reason = next(reason for reason, applies in reasons.items() if applies)
            raise InputError(
                f"--format {export.format} takes token ids, and its tokenizer.json cannot express {reason}: take "
                "savedmodel or keras, which hold the tokenizer."
            )
