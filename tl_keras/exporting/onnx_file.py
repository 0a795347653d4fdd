"""Exports as ONNX files, and their runtime."""

import importlib
import json
import warnings

import numpy as np

from tl_keras.system.global_state import quiet_loggers

OPSET = 18
CLASS_NAMES = "class_names"
QUANTIZED = ["Conv", "Gemm", "MatMul", "Add", "Mul", "Clip", "Relu", "GlobalAveragePool", "MaxPool", "AveragePool"]
"""Operations in 8 bits; the others, such as softmax, would lose accuracy and gain no time."""


def write_onnx(function, path, class_names):
    """Writes a model as an ONNX file, with its class names as JSON in `metadata_props`.

    Args:
        function: `TensorFunction`.
        path: `Path` of the file.
        class_names: names of the classes.
    """
    tf2onnx, onnx = (importlib.import_module(name) for name in ("tf2onnx", "onnx"))
    # Keras repairs tf2onnx for NumPy 2 where it exports itself; its `export` cannot name the outputs.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        importlib.import_module("keras.src.export.tf2onnx_lib").patch_tf2onnx()
    frozen = function.frozen()
    inputs, outputs = [[tensor.name for tensor in tensors] for tensors in (frozen.inputs, frozen.outputs)]
    with quiet_loggers("tf2onnx", "tensorflow"):
        model, _ = tf2onnx.convert.from_graph_def(
            frozen.graph.as_graph_def(),
            input_names=inputs,
            output_names=outputs,
            opset=OPSET,
            custom_op_handlers={"Erfc": (_erfc, [])},
            tensors_to_rename=dict(
                zip((*inputs, *outputs), (*function.inputs, *function.outputs), strict=True),
            ),
        )
    onnx.helper.set_model_props(model, {CLASS_NAMES: json.dumps(list(class_names), ensure_ascii=False)})
    onnx.save(model, path)


def quantize_onnx(plain, path, samples=None):
    """Writes a copy of an ONNX file with weights, and where samples are given also activations, of 8 bits.

    Args:
        plain: path of the file.
        path: path of the copy.
        samples: iterable of dicts from the name of an input to a batch, which the ranges are measured on; None computes
            the ranges when the model runs.
    """
    quantization = importlib.import_module("onnxruntime.quantization")
    with quiet_loggers("root"):
        if samples is None:
            quantization.quantize_dynamic(plain, path)
            return
        reader = type("Samples", (quantization.CalibrationDataReader,), {"get_next": lambda self: next(rows, None)})
        rows = iter(samples)
        quantization.quantize_static(plain, path, reader(), op_types_to_quantize=QUANTIZED, per_channel=True)


def open_onnx(path, threads):
    """Opens an ONNX file in ONNX Runtime.

    Args:
        path: path of the file.
        threads: number of threads.

    Returns:
        Function from a dict of named arrays, at least its inputs, to a dict of named arrays.
    """
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    taken, returned = ([port.name for port in ports] for ports in (session.get_inputs(), session.get_outputs()))

    def run(inputs):
        return dict(zip(returned, session.run(returned, {name: inputs[name] for name in taken}), strict=True))

    return run


def _erfc(context, node, name, arguments):
    """Replaces erfc, which ONNX lacks, by 1 - erf."""
    node.type, node.domain = "Erf", ""
    one = context.make_const(f"{name}_one", np.ones((), "float32"))
    difference = context.insert_new_node_on_output("Sub", node.output[0], name=f"{name}_difference")
    context.replace_inputs(difference, [one.output[0], node.output[0]])
    return node
