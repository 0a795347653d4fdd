import contextlib
import functools
import gc
import io
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import pytest
from PIL import Image

# Tracing a graph creates tens of thousands of objects, most of which stay alive, so frequent collections are wasted.
gc.set_threshold(50_000, 20, 100)
COLOURS = {"blue": (40, 60, 220), "green": (40, 200, 60), "red": (220, 40, 40)}


@pytest.fixture(scope="module", autouse=True)
def freeze_old_objects():
    """Hides the objects of earlier test files from the garbage collector, which took a third of the time."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Leaves files in the memory of the system, where only a power failure would lose them: a run syncs 64 times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def plain_graphs(request):
    """Runs graphs as they were traced: optimizing them takes a fifth of a tiny run and pays in long ones only.

    The slow tests, commands in processes of their own and the first file that loads TensorFlow late have it.
    """
    if "tensorflow" in sys.modules and "not slow" in request.config.option.markexpr:
        sys.modules["tensorflow"].config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="module", autouse=True)
def cheap_variables():
    """Gives variables made outside of graphs one debug name: TensorFlow prepares a kernel for each new one."""
    if "tensorflow" not in sys.modules:
        yield
        return
    from tensorflow.python.ops import gen_resource_variable_ops

    make_handle = gen_resource_variable_ops.var_handle_op
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gen_resource_variable_ops, "var_handle_op", functools.partial(_make_handle, make_handle))
        yield


def _make_handle(make_handle, debug_name="", **options):
    import tensorflow as tf

    return make_handle(debug_name="variable" if tf.executing_eagerly() else debug_name, **options)


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory):
    """Folder of three class folders, each with 12 noisy images of one colour."""
    root = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for number in range(12):
            noise = generator.normal(0, 25, (40, 48, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype("uint8")
            Image.fromarray(pixels).save(root / name / f"{name}-{number:02d}.png")
    return root


@pytest.fixture(scope="session")
def tiny_arguments(image_folder):
    """Flags of a run that takes a few seconds."""
    phases = "[{train: head, epochs: 2, learning_rate: 0.01}, {train: top, epochs: 1, learning_rate: 0.001}]"
    flags = {
        "--data.path": image_folder,
        "--data.image_size": 32,
        "--data.batch_size": 8,
        "--data.augmentation": "light",
        "--model.dropout": 0.1,
        "--phases": phases,
    }
    return [str(part) for flag in flags.items() for part in flag]


@pytest.fixture
def eager():
    """Runs a test without tracing graphs, see `eager_functions`."""
    from tests.eager_functions import eager_functions

    with eager_functions():
        yield


@pytest.fixture
def small_network(monkeypatch):
    """Replaces every image backbone by a network of four convolutions."""
    from tests.models.small_backbone import small_backbone

    monkeypatch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)


@pytest.fixture(scope="session")
def finished_run(tiny_arguments, tmp_path_factory):
    """Folder of a finished run of the small network, and the output of its training."""
    from tests.models.small_backbone import small_backbone

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        return printed_run(tmp_path_factory.mktemp("runs") / "finished", tiny_arguments)


def printed_run(folder, arguments):
    """Trains a run and returns its folder and what it printed."""
    from tl_keras import train

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        train.main([*arguments, "--run", str(folder)])
    return folder, printed.getvalue()
