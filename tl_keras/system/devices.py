"""Start of TensorFlow, and the precision and seed of a run.

TensorFlow is loaded when a function needs it, not when this module is imported.
"""

import contextlib
import functools
import gc
import importlib
import logging
import os
import sys
from pathlib import Path

OPTIONAL_PACKAGES = ("matplotlib", "matplotlib.pyplot", "pandas", "sklearn")
"""Packages that Keras imports at start for features that no command of ours has, a fifth of the time of `predict`."""
GC_THRESHOLDS = (50_000, 20, 100)
"""As `gc.set_threshold` takes them: TensorFlow and Keras create many objects, few of them in circles."""
_hidden_from_keras = set()


def start_lean():
    """Prepares a process that runs one command: Keras loads no optional packages, and garbage is rarely collected.

    All other code can import the packages as usual.
    """
    _hidden_from_keras.update(OPTIONAL_PACKAGES)
    gc.set_threshold(*GC_THRESHOLDS)


def load_tensorflow():
    """Loads TensorFlow and Keras without the notes that they print at start; errors are raised as usual."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with standard_error_closed(), _hidden_packages(), _without_collection():
        # Listing the devices makes TensorFlow look for a GPU now, which is the last step that it prints notes about.
        importlib.import_module("tensorflow").config.list_physical_devices()
        importlib.import_module("keras")
    if _hidden_from_keras:
        # What is loaded in a process that runs one command is never freed.
        gc.freeze()
    # A run fits several models and traces each of them, which TensorFlow mistakes for accidental retracing.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@functools.cache
def hide_onednn_note():
    """Transposes an integer, so that TensorFlow makes its note on oneDNN and integers, one a process, unseen.

    The note has the rank of an error, so that TF_CPP_MIN_LOG_LEVEL would hide it only with all errors. The devices must
    be configured, because they start here.
    """
    tf = importlib.import_module("tensorflow")
    # Outside, because their errors must be seen.
    tf.config.list_logical_devices()
    with standard_error_closed(), tf.device("CPU:0"):
        tf.transpose(tf.constant([[1]]))


def set_up(seed, precision, deterministic=False):
    """Seeds Python, NumPy and TensorFlow and sets the dtype policy of layers built from now on.

    `global_state.restored_global_state` undoes it.

    Args:
        seed: integer >= 0.
        precision: "float32", "mixed_bfloat16", "mixed_float16", or "auto" for `choose_precision`.
        deterministic: whether TensorFlow may only use operations that give the same bits each time.
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
    """Seeds Python, NumPy and TensorFlow with an integer >= 0."""
    importlib.import_module("keras").utils.set_random_seed(seed)


def choose_precision():
    """Chooses the dtype policy that the processor has instructions for.

    Returns:
        "mixed_bfloat16" on TPUs, on GPUs of compute capability 8.0 or higher and on CPUs with AVX512-BF16 or AMX-BF16,
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
    """Returns whether models are compiled with XLA, so that each new input shape costs a compilation.

    Args:
        xla: whether the run asks for XLA; Keras uses it by default on every device but CPUs.

    Returns:
        A bool. TensorFlow must be started, because its devices are listed.
    """
    devices = importlib.import_module("tensorflow").config.list_logical_devices()
    return xla or any(device.device_type != "CPU" for device in devices)


def _processor_flags():
    """Reads the instruction sets from Linux; other systems get an empty set, and with it float32."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    return next((set(line.split()) for line in text.splitlines() if line.startswith("flags")), set())


@contextlib.contextmanager
def _without_collection():
    """Collects no garbage, of which imports make hardly any, but each collection looks at all that they have loaded."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def _hidden_packages():
    hidden = [name for name in _hidden_from_keras if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def standard_error_closed():
    """Hides what compiled code writes to the standard error, which Python cannot catch."""
    # TensorFlow 2.21 prints notes before it reads TF_CPP_MIN_LOG_LEVEL.
    sys.stderr.flush()
    original, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(null)
