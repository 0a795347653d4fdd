"""Global state of Python, NumPy, TensorFlow and Keras, restored after a block that changes it.

Nothing here loads TensorFlow, which takes seconds: a process that has not loaded it has not changed its state.
"""

import contextlib
import gc
import importlib
import logging
import random
import sys

import numpy as np

KERAS_SEEDS = ("global_random_seed", "global_seed_generator")


@contextlib.contextmanager
def restored_global_state():
    """Restores the dtype policy, the random state and op determinism when its block returns or raises.

    The next model of a notebook is then the one that it would have been without the block. No device is started.
    """
    before = _read_settings() if "tensorflow" in sys.modules else None
    with restored_random_state():
        try:
            yield
        finally:
            if "tensorflow" in sys.modules:
                keras, config = _modules()
                policy, was_deterministic = before or (keras.config.floatx(), False)
                keras.config.set_dtype_policy(policy)
                # TensorFlow 2.21 has no public function to disable determinism.
                (config.enable_op_determinism if was_deterministic else config.disable_op_determinism)()


@contextlib.contextmanager
def restored_random_state():
    """Restores what unseeded random operations draw from when its block returns or raises.

    That is the global state of Python's `random`, of `numpy.random`, of eager TensorFlow operations and of
    `keras.random`. `tf.random.get_global_generator()` is a variable that the caller can restore.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    before = _read_seeds() if "tensorflow" in sys.modules else None
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        if "tensorflow" in sys.modules:
            _write_seeds(*before or ((None, None), dict.fromkeys(KERAS_SEEDS), None))


@contextlib.contextmanager
def quiet_loggers(*names, level=logging.CRITICAL):
    """Raises the level of loggers until the context ends.

    Args:
        names: names of the loggers; "root" is the root of all.
        level: lowest level of the messages that are still written.
    """
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, one in zip(loggers, before, strict=True):
            logger.setLevel(one)


@contextlib.contextmanager
def quick_collection():
    """Limits garbage collection to objects created inside the block; all are collected again afterwards.

    It is fast then although TensorFlow has loaded 400,000 objects that are never freed. Does nothing if objects are
    frozen already: `gc.unfreeze` would unfreeze those, too.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _modules():
    return map(importlib.import_module, ("keras", "tensorflow.python.framework.config"))


def _read_settings():
    keras, config = _modules()
    return keras.config.dtype_policy(), config.is_op_determinism_enabled()


def _seed_modules():
    return map(importlib.import_module, ("tensorflow.python.eager.context", "keras.src.backend.common.global_state"))


def _read_seeds():
    eager, keras_state = _seed_modules()
    keras_seeds = {name: keras_state.get_global_attribute(name) for name in KERAS_SEEDS}
    generator = keras_seeds["global_seed_generator"]
    return _tensorflow_state(eager), keras_seeds, generator and generator.state.numpy()


def _write_seeds(tensorflow_state, keras_seeds, generator_state):
    eager, keras_state = _seed_modules()
    if _tensorflow_state(eager) != tensorflow_state:
        seed, state = tensorflow_state
        # Also clears the cached kernels, whose random state continues when the same seed comes again.
        importlib.import_module("tensorflow").random.set_seed(seed)
        if state is not None:
            eager.context()._rng.setstate(state)
    for name, value in keras_seeds.items():
        keras_state.set_global_attribute(name, value)
    if generator := keras_seeds["global_seed_generator"]:
        generator.state.assign(generator_state)


def _tensorflow_state(eager):
    """Returns the global seed and the state of the generator of operation seeds; None if it does not exist."""
    generator = getattr(eager.context(), "_rng", None)
    return eager.global_seed(), generator and generator.getstate()
