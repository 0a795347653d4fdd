import logging
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.system import devices
from tl_keras.system.global_state import quiet_loggers, restored_global_state, restored_random_state


@pytest.fixture(autouse=True)
def clean_state():
    with restored_global_state():
        yield


def random_numbers():
    own = [random.random(), np.random.random()]
    return [*own, *(float(draw(())) for _ in range(2) for draw in (tf.random.uniform, keras.random.uniform))]


def change_everything():
    devices.set_up(3, "mixed_bfloat16", deterministic=True)
    random_numbers()


@pytest.mark.parametrize("context", [restored_random_state, restored_global_state])
def test_the_numbers_drawn_afterwards_are_those_without_the_block(context):
    draws = []
    for interrupt in (False, True):
        keras.utils.set_random_seed(8)
        random_numbers()
        if interrupt:
            with context():
                change_everything()
        draws.append(random_numbers())
    assert draws[0] == draws[1]


def test_a_generator_of_keras_that_does_not_exist_yet_is_seeded_as_without_the_block():
    draws = []
    for interrupt in (False, True):
        keras.utils.set_random_seed(8)
        if interrupt:
            with restored_random_state():
                change_everything()
        draws.append(float(keras.random.uniform(())))
    assert draws[0] == draws[1]


def test_unseeded_tensorflow_is_unseeded_again():
    tf.random.set_seed(None)
    draws = []
    for _ in range(2):
        with restored_random_state():
            tf.random.set_seed(3)
        draws.append(tf.random.uniform((8,)).numpy().tolist())
    assert draws[0] != draws[1]


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_dtype_policy_and_determinism_are_restored_whether_the_block_returns_or_raises(error):
    keras.config.set_dtype_policy("mixed_float16")
    if error is None:
        with restored_global_state():
            change_everything()
    else:
        with pytest.raises(error), restored_global_state():
            change_everything()
            raise error
    assert keras.layers.Dense(1).dtype_policy.name == "mixed_float16"
    # With determinism, TensorFlow refuses an operation without a seed.
    tf.random.set_seed(None)
    tf.random.uniform((1,))


def test_determinism_of_the_user_stays():
    tf.config.experimental.enable_op_determinism()
    with restored_global_state():
        devices.set_up(3, "float32")
    tf.random.set_seed(None)
    with pytest.raises(RuntimeError, match="require a seed"):
        tf.random.uniform((1,))


def test_a_block_that_loads_tensorflow_starts_no_device_and_leaves_it_as_it_loads():
    code = """
import sys
from tl_keras.system.global_state import restored_global_state
with restored_global_state():
    assert "tensorflow" not in sys.modules
    from tensorflow.python.eager import context
    # Workers of a cluster are joined inside of the block, which TensorFlow refuses once devices are started.
    assert context.context()._context_handle is None
    from tl_keras.system import devices
    devices.set_up(3, "mixed_bfloat16", deterministic=True)
import keras, tensorflow as tf
assert keras.config.dtype_policy().name == "float32"
afterwards = float(tf.random.uniform(())), float(keras.random.uniform(()))
devices.set_up(3, "float32")
of_the_seed = float(tf.random.uniform(())), float(keras.random.uniform(()))
assert afterwards[0] != of_the_seed[0] and afterwards[1] != of_the_seed[1]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


COLLECTED = {
    "only objects created inside are collected": """
older = weakref.ref(Circle())
with quick_collection():
    newer = weakref.ref(Circle())
    gc.collect()
    assert newer() is None and older() is not None
gc.collect()
assert older() is None
""",
    "objects are unfrozen after an error": """
try:
    with quick_collection():
        assert gc.get_freeze_count() > 0
        raise ZeroDivisionError
except ZeroDivisionError:
    assert gc.get_freeze_count() == 0
""",
    "objects frozen before stay frozen": """
gc.freeze()
with quick_collection(), quick_collection():
    pass
assert gc.get_freeze_count() > 0
""",
}


@pytest.mark.parametrize("case", COLLECTED)
def test_a_quick_collection_freezes_older_objects(case):
    """Runs in a Python of its own, because unfreezing shows the collector all that earlier tests have created."""
    start = """
import gc, weakref
from tl_keras.system.global_state import quick_collection
class Circle:
    def __init__(self):
        self.itself = self
"""
    done = subprocess.run([sys.executable, "-c", start + COLLECTED[case]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_loggers_are_quiet_until_the_end_also_after_an_error():
    named, root = logging.getLogger("tl_keras.test"), logging.getLogger()
    named.setLevel(logging.INFO)
    before = root.level
    with pytest.raises(ZeroDivisionError), quiet_loggers("tl_keras.test", "root", level=logging.ERROR):
        assert named.level == root.level == logging.ERROR
        raise ZeroDivisionError
    assert (named.level, root.level) == (logging.INFO, before)
