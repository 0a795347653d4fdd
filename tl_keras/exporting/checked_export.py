"""One export: written beside its place, opened in its own runtime, compared with the model, and kept if they agree."""

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tl_keras import models
from tl_keras.errors import InputError, first_line, is_disk_full, is_out_of_memory
from tl_keras.exporting.comparison import MAX_DIFFERENCE, largest_difference
from tl_keras.exporting.formats import INT8, Export
from tl_keras.exporting.litert_file import open_litert, write_litert
from tl_keras.exporting.onnx_file import open_onnx, quantize_onnx, write_onnx
from tl_keras.exporting.openvino_files import open_openvino, write_openvino
from tl_keras.exporting.saved_model_folder import open_saved_model, write_saved_model
from tl_keras.exporting.tensor_function import PROBABILITIES, TEXT, tensor_function
from tl_keras.exporting.tokenizer_file import TOKENIZER, open_tokenizer, write_tokenizer
from tl_keras.models.texts.encoder_inputs import is_text_model
from tl_keras.system.atomic_files import move_to, new_folder

OPENERS = {"onnx": open_onnx, "litert": open_litert, "openvino": open_openvino}


@dataclass(frozen=True)
class Source:
    """Holds what exports are made from and compared with."""

    model: keras.Model
    """Model of a run, as `keras.models.load_model` opens it."""
    file: Path
    """The `.keras` file of the model."""
    class_names: tuple[str, ...]
    resize: str
    """One of `RESIZES`, which brings images to the size of the model."""
    max_tokens: int
    truncation: str
    inputs: dict
    """Raw inputs that the exports are compared on, dict of n values each."""
    samples: dict | None = None
    """Raw inputs that ranges of activations are measured on."""

    @functools.cached_property
    def function(self):
        """`TensorFunction` of the model, traced at its first use."""
        return tensor_function(self.model)


@dataclass(frozen=True)
class OpenedExport:
    """Holds an export that was written and opened."""

    path: Path
    size: int
    """Bytes of its files."""
    difference: float
    """Largest difference of probabilities, scores, or boxes relative to the side of the images."""
    predict: Callable
    """Function from a dict of raw inputs to a dict of arrays, in one batch."""


def predict_by_keras(model, inputs):
    """Computes a batch by `model.predict`.

    Args:
        model: `keras.Model` of a run.
        inputs: dict of raw inputs, n values each.

    Returns:
        Dict of arrays: `probabilities`, or `boxes`, `scores` and `labels`.
    """
    is_text = is_text_model(model)
    tensors = {name: tf.constant(values) if is_text else values for name, values in inputs.items()}
    count = len(next(iter(inputs.values())))
    whole = tensors if isinstance(model.input, dict) else next(iter(tensors.values()))
    outputs = model.predict(whole, batch_size=count, verbose=0)
    return outputs if isinstance(outputs, dict) else {PROBABILITIES: outputs}


def write_checked(source, export, folder, threads):
    """Writes an export, and keeps it if it computes what the model computes.

    A quantized one is kept in any case: how much it loses is for the caller to measure.

    Args:
        source: `Source`.
        export: `Export`.
        folder: `Path` of the folder to write to. A quantized export needs the plain one of its format there.
        threads: number of threads that it is opened with.

    Returns:
        `OpenedExport`.

    Raises:
        InputError: the format cannot hold the model, or the export computes something else; it is removed.
    """
    with new_folder(folder) as temporary:
        place = temporary / export.path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(source, export, place, folder / Export(export.format).path)
            predict = _open(source.model, export, place, threads)
            got = predict(source.inputs)
        # Converters raise errors of every kind for what they do not know.
        except Exception as error:
            if isinstance(error, InputError) or is_disk_full(error) or is_out_of_memory(error):
                raise
            raise InputError(
                f"{export.label} cannot hold this model ({type(error).__name__}: {first_line(error)[:200]}): take "
                "savedmodel or keras."
            ) from error
        side = source.model.input_shape[1] if "images" in source.inputs else 1
        with models.computing():
            difference = largest_difference(predict_by_keras(source.model, source.inputs), got, side)
        if export.quantization is None and not difference <= MAX_DIFFERENCE:
            raise InputError(
                f"{export.label} computes other numbers than the model (largest difference {difference:.2g}, expected "
                f"at most {MAX_DIFFERENCE:g}): it was removed; take another format."
            )
        size = sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file())
        _move(temporary, folder)
    return OpenedExport(folder / export.path, size, difference, predict)


def _write(source, export, place, plain):
    model, names, kind = source.model, source.class_names, export.quantization
    if export.format == "keras":
        shutil.copyfile(source.file, place)
        return
    if export.format == "savedmodel":
        if isinstance(model.output, dict):
            models.export_detector(model, names, place)
        else:
            write_saved_model(model, place, names, source.resize)
        return
    if is_text_model(model):
        write_tokenizer(model, place.parent / TOKENIZER, max_tokens=source.max_tokens, truncation=source.truncation)
    if export.format == "onnx" and kind:
        quantize_onnx(plain, place, _samples(source))
    elif export.format == "onnx":
        write_onnx(source.function, place, names)
    elif export.format == "litert":
        write_litert(source.function, place, names, kind, _samples(source) if kind == INT8 else None)
    elif export.format == "openvino":
        write_openvino(source.function, place, names, kind)


def _open(model, export, place, threads):
    """Returns a function from raw inputs to outputs that uses the files of the export alone."""
    if export.format == "keras":
        opened = models.open_model(place)
        return lambda inputs: predict_by_keras(opened, inputs)
    if export.format == "savedmodel":
        return open_saved_model(place)
    run = OPENERS[export.format](place, threads)
    if not is_text_model(model):
        return run
    encode = open_tokenizer(place.parent / TOKENIZER)
    return lambda inputs: run(encode(inputs[TEXT]))


def _samples(source):
    """Returns batches of one image; texts differ in length, so the ranges of their activations are left open."""
    if source.samples is None or is_text_model(source.model):
        return None
    ((name, values),) = source.samples.items()
    return [{name: np.asarray(value[None], "float32")} for value in values]


def _move(temporary, folder):
    """Moves what an export consists of to its place; what stands there is replaced."""
    for path in sorted(temporary.iterdir()):
        if path.is_dir():
            shutil.rmtree(folder / path.name, ignore_errors=True)
        move_to(path, folder / path.name)
