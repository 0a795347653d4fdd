"""Exports as OpenVINO files, a graph (.xml) beside its weights (.bin), and their runtime."""

import importlib
import json

from tl_keras.exporting.formats import BFLOAT16

CLASS_NAMES = "class_names"
PRECISION = "inference_precision"
"""Key of the runtime information for the numbers to compute with, bf16 or f32."""


def write_openvino(function, path, class_names, quantization=None):
    """Writes a model as OpenVINO files, with its class names as JSON in the runtime information `class_names`.

    Args:
        function: `TensorFunction`.
        path: `Path` of the .xml file.
        class_names: names of the classes.
        quantization: "float16" for weights of 16 bits, "bfloat16" for such weights and computation in bfloat16, or
            None.
    """
    openvino = importlib.import_module("openvino")
    model = openvino.convert_model(function.function)
    for names, ports in ((function.inputs, model.inputs), (function.outputs, model.outputs)):
        for port in ports:
            port.set_names({_own_name(names, port)})
    model.set_rt_info(json.dumps(list(class_names), ensure_ascii=False), CLASS_NAMES)
    model.set_rt_info("bf16" if quantization == BFLOAT16 else "f32", PRECISION)
    openvino.save_model(model, path, compress_to_fp16=quantization is not None)


def open_openvino(path, threads):
    """Opens OpenVINO files on the processor, with the precision in their runtime information.

    Args:
        path: path of the .xml file.
        threads: number of threads.

    Returns:
        Function from a dict of named arrays, at least its inputs, to a dict of named arrays.
    """
    openvino = importlib.import_module("openvino")
    core = openvino.Core()
    files = core.read_model(path)
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": files.get_rt_info(PRECISION).astype(str)}
    model = core.compile_model(files, "CPU", settings)
    names = [port.get_any_name() for port in model.inputs]

    def run(inputs):
        outputs = model({name: inputs[name] for name in names})
        return {port.get_any_name(): values for port, values in outputs.items()}

    return run


def _own_name(names, port):
    """Returns the name that the function gave to a port; OpenVINO may add names of its own."""
    return next(name for name in names if name in port.get_names())
