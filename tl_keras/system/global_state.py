"""Global state of Python, NumPy, TensorFlow and Keras, restored after code that changes it.

TensorFlow is loaded when a context is entered, not when this module is imported.
"""

import contextlib
import importlib
import random

import numpy as np

from tl_keras.system.devices import load_tensorflow

KERAS_SEEDS = ("global_random_seed", "global_seed_generator")


@contextlib.contextmanager
def restored_global_state():
    """Restores the dtype policy, the random state and op determinism when its block returns or raises.

    The next model of a notebook is then the one that it would have been without the block. No device is started.
    """
    load_tensorflow()
    keras, config = map(importlib.import_module, ("keras", "tensorflow.python.framework.config"))
    policy, was_deterministic = keras.config.dtype_policy(), config.is_op_determinism_enabled()
    with restored_random_state():
        try:
            yield
        finally:
            keras.config.set_dtype_policy(policy)
            # TensorFlow 2.21 has no public function to disable determinism.
            (config.enable_op_determinism if was_deterministic else config.disable_op_determinism)()


@contextlib.contextmanager
def restored_random_state():
    """Restores what unseeded random operations draw from when its block returns or raises.

    That is the global state of Python's `random`, of `numpy.random`, of eager TensorFlow operations and of
    `keras.random`. `tf.random.get_global_generator()` is a variable that the caller can restore.
    """
    load_tensorflow()
    tf, eager = map(importlib.import_module, ("tensorflow", "tensorflow.python.eager.context"))
    keras_state = importlib.import_module("keras.src.backend.common.global_state")
    python_state, numpy_state = random.getstate(), np.random.get_state()
    tensorflow_state = _tensorflow_state(eager)
    keras_seeds = {name: keras_state.get_global_attribute(name) for name in KERAS_SEEDS}
    generator = keras_seeds["global_seed_generator"]
    generator_state = generator and generator.state.numpy()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        if _tensorflow_state(eager) != tensorflow_state:
            seed, state = tensorflow_state
            # Also clears the cached kernels, whose random state continues when the same seed comes again.
            tf.random.set_seed(seed)
            if state is not None:
                eager.context()._rng.setstate(state)
        for name, value in keras_seeds.items():
            keras_state.set_global_attribute(name, value)
        if generator:
            generator.state.assign(generator_state)


def _tensorflow_state(eager):
    """Returns the global seed and the state of the generator of operation seeds, each of which may be None."""
    generator = getattr(eager.context(), "_rng", None)
    return eager.global_seed(), generator and generator.getstate()
