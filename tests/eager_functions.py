"""Training without graphs, for tests that need a trained model but do not test its training."""

import contextlib


@contextlib.contextmanager
def eager_functions():
    """Runs functions of TensorFlow without tracing them, which takes most of the time of a run of a few steps."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
