"""Exports as LiteRT (TensorFlow Lite) files, and their runtime."""

import importlib
import tempfile
import warnings
import zipfile

import tensorflow as tf

from tl_keras.exporting.formats import FLOAT16, INT8
from tl_keras.system.devices import standard_error_closed

LABELS = "labels.txt"
"""File in the export with a class name in each line, where TensorFlow Lite's metadata have it."""


def write_litert(function, path, class_names, quantization=None, samples=None):
    """Writes a model as a LiteRT file, with its class names in `LABELS`, which unzip extracts.

    Args:
        function: `TensorFunction`.
        path: `Path` of the file.
        class_names: names of the classes.
        quantization: "float16" for weights of 16 bits, "int8" for 8 bits, or None.
        samples: for "int8" an iterable of dicts from the name of an input to a batch, on which the ranges of the
            activations are measured; None leaves the activations in floating point.
    """
    module = tf.Module()
    frozen = function.frozen()
    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in _named(function, frozen).items()}

    @tf.function(autograph=False)
    def serve(**inputs):
        return dict(zip(function.outputs, frozen(*(inputs[name] for name in function.inputs)), strict=True))

    module.serve = serve
    with tempfile.TemporaryDirectory(prefix="tl_keras-") as folder:
        # Custom gradients, which an export has no use for, may refer to tensors that cannot be saved.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, folder, serve.get_concrete_function(**specs), options)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantization:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == FLOAT16:
            converter.target_spec.supported_types = [tf.float16]
        if quantization == INT8 and samples is not None:
            converter.representative_dataset = lambda: iter(samples)
        with standard_error_closed(), warnings.catch_warnings():
            # The converter warns of the age of the interpreter that it calibrates with.
            warnings.simplefilter("ignore", UserWarning)
            path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(LABELS, "".join(f"{name}\n" for name in class_names))


def open_litert(path, threads):
    """Opens a LiteRT file.

    Args:
        path: path of the file.
        threads: number of threads.

    Returns:
        Function from a dict of named arrays, at least its inputs, to a dict of named arrays.
    """
    runtime = importlib.import_module("ai_edge_litert.interpreter")
    with standard_error_closed():
        run = runtime.Interpreter(str(path), num_threads=threads).get_signature_runner()
    names = list(run.get_input_details())
    return lambda inputs: run(**{name: inputs[name] for name in names})


def _named(function, frozen):
    return dict(zip(function.inputs, frozen.inputs, strict=True))
