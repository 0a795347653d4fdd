"""The start of TensorFlow, and the precision and seed of a run.

This module loads TensorFlow when it is told to, not when it is imported.
"""

import contextlib
import importlib
import logging
import os
import sys
from pathlib import Path


def load_tensorflow():
    """Loads TensorFlow without the dozen lines of start-up notes that it writes; its errors still raise."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _standard_error_closed():
        # Asking for the devices makes it look for a GPU now, which is the last thing that it comments on.
        importlib.import_module("tensorflow").config.list_physical_devices()
        importlib.import_module("keras")
    # A run fits several models, each traced for itself, which TensorFlow takes for careless retracing and warns of.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def set_up(seed, precision, deterministic=False):
    """Seeds Python, NumPy and TensorFlow and sets the arithmetic of the layers built from now on.

    Args:
        seed: integer >= 0.
        precision: "float32", "mixed_bfloat16", "mixed_float16", or "auto" for `choose_precision`.
        deterministic: whether only operations that give the same bits each time are allowed from now on.
    """
    load_tensorflow()
    if deterministic:
        importlib.import_module("tensorflow").config.experimental.enable_op_determinism()
    keras = importlib.import_module("keras")
    reseed(seed)
    if precision == "auto":
        precision = choose_precision()
        print(f"precision: {precision}", flush=True)
    keras.mixed_precision.set_global_policy(precision)


def reseed(seed):
    """Seeds Python, NumPy and TensorFlow, an integer >= 0."""
    importlib.import_module("keras").utils.set_random_seed(seed)


def choose_precision():
    """Picks the arithmetic that the processor has instructions for.

    Returns:
        "mixed_bfloat16" on TPUs, on GPUs of compute capability 8.0 or more and on CPUs with AVX512-BF16 or AMX-BF16,
        else "float32".
    """
    config = importlib.import_module("tensorflow").config
    if config.list_physical_devices("TPU"):
        return "mixed_bfloat16"
    if gpus := config.list_physical_devices("GPU"):
        capability = min(config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus)
        return "mixed_bfloat16" if capability >= (8, 0) else "float32"
    return "mixed_bfloat16" if _processor_flags() & {"avx512_bf16", "amx_bf16"} else "float32"


def uses_xla(xla):
    """Says whether models are compiled with XLA: each shape of inputs costs a compilation, and operations become one.

    Args:
        xla: whether a run asks for it; on all but CPUs Keras takes it unasked.

    Returns:
        A bool. TensorFlow must be started: it asks for the devices.
    """
    devices = importlib.import_module("tensorflow").config.list_logical_devices()
    return xla or any(device.device_type != "CPU" for device in devices)


def _processor_flags():
    """The instruction sets that Linux lists; elsewhere none are known, and float32 is right everywhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    return next((set(line.split()) for line in text.splitlines() if line.startswith("flags")), set())


@contextlib.contextmanager
def _standard_error_closed():
    # TensorFlow 2.21 logs before its logging is set up, where TF_CPP_MIN_LOG_LEVEL does not reach.
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
