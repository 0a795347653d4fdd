"""Exports of a finished run: written, checked, measured on the data of the run, and listed in `export.json`."""

import os
import sys

import numpy as np

from tl_keras.errors import InputError
from tl_keras.exporting.formats import (
    FORMATS,
    Export,
    check_model_fits,
    check_packages,
    check_processor,
    choose_exports,
)
from tl_keras.runs.opening import make_folder
from tl_keras.runs.own_data import load_own_splits
from tl_keras.runs.result_folders import claim_folder, record_results, run_origin
from tl_keras.system.devices import load_tensorflow
from tl_keras.system.links import refuse_links
from tl_keras.system.spreading import spread_rows

MAX_SAMPLES = 100
"""Training images that the ranges of activations are measured on."""
COMPARED = 32
"""Examples that each export is compared with the model on."""
NO_TEXTS = ("This is a text.", "Another one, which is a bit longer!")
"""Texts to compare on where the data of a run cannot be read."""


def export_run(run, format="all", quantize=None, output=None):
    """Exports a run to files that need neither this project nor, in some formats, TensorFlow.

    Args:
        run: `TrainedRun`.
        format: "onnx" or another key of `FORMATS`, or "all".
        quantize: "float16", "bfloat16" or "int8" for a further export of smaller numbers, in formats that support it.
        output: folder to write to; None takes `exports` in the run folder. Exports of the same name are replaced.

    Returns:
        Dict of the results, which is also written to `export.json`, see `measure_exports`.

    Raises:
        InputError: a package is missing, the format cannot hold the model, an export computes something else, or
            `output` holds exports of another run.
    """
    exports = choose_exports(format, quantize)
    _check_model_fits(run.config, exports)
    check_packages(exports)
    check_processor(exports)
    # From the run folder on, where `exports` may itself be a link.
    refuse_links(output or run.folder)
    folder = _make_folder(run, output)
    load_tensorflow()
    # Imported here, so that invalid input does not wait for TensorFlow.
    from tl_keras.exporting.checked_export import write_checked
    from tl_keras.runs.export_measures import measure_exports

    splits = _own_splits(run, required=quantize is not None)
    source, threads = _source(run, splits), _threads()
    opened = {}
    for export in exports:
        opened[export] = one = write_checked(source, export, folder, threads)
        print(f"{export.label}: {one.path}, largest difference {one.difference:.1g}", flush=True)
    results = measure_exports(run, source, opened, splits and splits.test, folder, threads)
    if output:
        record_results(folder, _result_names())
    return results


def _make_folder(run, output):
    if not output:
        return make_folder(run.folder / "exports", "exports")
    return claim_folder(output, run_origin(run), _result_names(), "exports")


def _result_names():
    exports = [Export(name, kind) for name, one in FORMATS.items() for kind in (None, *one.quantizations)]
    return [*(export.path for export in exports), "export.json"]


def _check_model_fits(config, exports):
    check_model_fits(
        exports,
        detector=config.detection.detector if config.task == "object_detection" else None,
        truncation=config.text.truncation,
        windows=config.text.windows,
        pairs=config.text.second_text_column is not None,
    )


def _own_splits(run, required):
    try:
        return load_own_splits(run)
    except InputError as error:
        if required:
            raise
        print(f"note: without the data of the run accuracy is not measured: {error}", file=sys.stderr)
        return None


def _source(run, splits):
    # Imported here, as above.
    from tl_keras.exporting.checked_export import Source

    text = run.config.text
    return Source(
        model=run.model,
        file=run.folder / "model.keras",
        class_names=tuple(run.class_names),
        resize=run.config.data.resize,
        max_tokens=text.max_tokens,
        truncation=text.truncation,
        inputs=raw_inputs(run, splits.test, COMPARED) if splits else _invented_inputs(run.model),
        samples=raw_inputs(run, splits.train, MAX_SAMPLES) if splits else None,
    )


def raw_inputs(run, part, count):
    """Returns up to a number of examples, evenly spread, as the saved model takes them.

    Args:
        run: `TrainedRun`.
        part: part of the data of the run.
        count: maximum number of examples.

    Returns:
        Dict from the name of an input to its values.
    """
    return run.task.raw_inputs(run.config, part.take(spread_rows(part, count)))


def _invented_inputs(model):
    names = model.input if isinstance(model.input, dict) else {"text": model.input}
    if model.inputs[0].dtype == "string":
        return {name: list(NO_TEXTS) for name in names}
    noise = np.random.default_rng(0).integers(0, 256, (len(NO_TEXTS), *model.input.shape[1:]))
    return {"images": noise.astype("float32")}


def _threads():
    """Returns the number of threads that TensorFlow computes with, so that all formats are measured alike."""
    import tensorflow as tf  # as above

    chosen = tf.config.threading.get_intra_op_parallelism_threads() or int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0))
    return chosen or os.cpu_count()
