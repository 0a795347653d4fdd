import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tl_keras.system import devices


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_tensorflow_starts_without_a_word():
    code = (
        "import gc, sys\nfrom tl_keras.system import devices\n"
        "devices.load_tensorflow(); print('here', file=sys.stderr)\n"
        "assert gc.isenabled() and not gc.get_freeze_count(), 'the collection of the caller is changed'"
    )
    result = run_python(code)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "here\n")


def test_integers_that_onednn_does_not_compute_are_no_error():
    code = (
        "import sys\nfrom tl_keras.system import devices\ndevices.load_tensorflow()\nimport tensorflow as tf\n"
        "devices.hide_onednn_note(); print('here', file=sys.stderr)\n"
        "[tf.transpose(tf.zeros((2, 2), kind)) for kind in (tf.int32, tf.int64)]; print('there', file=sys.stderr)"
    )
    result = run_python(code)
    assert (result.returncode, result.stderr) == (0, "here\nthere\n")


def test_a_command_starts_keras_without_packages_that_it_can_still_import():
    code = (
        "from tl_keras.system import devices; devices.start_lean(); devices.load_tensorflow(); import sys\n"
        "print(sorted({'sklearn', 'pandas', 'matplotlib'} & set(sys.modules)))\nimport pandas, keras; keras.Model\n"
        "import gc; assert gc.isenabled() and gc.get_freeze_count() > 100_000"
    )
    result = run_python(code)
    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stderr


def test_the_same_seed_gives_the_same_weights():
    kernels = []
    for seed in (1, 1, 2):
        devices.set_up(seed, "float32")
        layer = keras.layers.Dense(3)
        layer.build((None, 4))
        kernels.append(layer.kernel.numpy())
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_precision(precision):
    try:
        devices.set_up(0, precision)
        assert keras.layers.Dense(1).dtype_policy.name == precision
    finally:
        devices.set_up(0, "float32")


@pytest.mark.parametrize(
    ("flags", "expected"), [({"avx2"}, "float32"), ({"avx2", "avx512_bf16"}, "mixed_bfloat16"), (set(), "float32")]
)
def test_auto_takes_what_the_processor_has(flags, expected, monkeypatch):
    monkeypatch.setattr(devices, "_processor_flags", lambda: flags)
    assert devices.choose_precision() == expected


@pytest.mark.parametrize(
    ("kinds", "xla", "expected"),
    [
        (["CPU", "CPU"], False, False),
        (["CPU"], True, True),
        (["CPU", "GPU"], False, True),
        (["CPU", "TPU"], False, True),
    ],
)
def test_shapes_are_compiled_with_xla(kinds, xla, expected, monkeypatch):
    found = [SimpleNamespace(device_type=kind) for kind in kinds]
    monkeypatch.setattr("tensorflow.config.list_logical_devices", lambda: found)
    assert devices.uses_xla(xla) == expected


def test_determinism_is_asked_for_only_where_it_is_wanted(monkeypatch):
    asked = []
    monkeypatch.setattr("tensorflow.config.experimental.enable_op_determinism", lambda: asked.append(True))
    devices.set_up(0, "float32")
    assert not asked
    devices.set_up(0, "float32", deterministic=True)
    assert asked
