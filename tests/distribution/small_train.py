"""Runs `python -m tl_keras.train` with a network that is traced quickly, on several logical CPU devices.

Usage: python tests/distribution/small_train.py DEVICES FLAG...
"""

import sys

from tests.models.small_backbone import small_backbone
from tl_keras import train
from tl_keras.cli.verbs import run_verb
from tl_keras.models.detection import building as detectors
from tl_keras.models.images import classifiers
from tl_keras.system import devices


def split_processor(count):
    """Splits the CPU into `count` logical devices; TensorFlow must not have computed anything yet."""
    devices.load_tensorflow()
    import tensorflow as tf

    if count > 1:
        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * count)


if __name__ == "__main__":
    split_processor(int(sys.argv[1]))
    classifiers.build_backbone = small_backbone
    if "object_detection" in sys.argv:
        from tests.models.detection.tiny_detectors import tiny_backbone

        detectors.build_backbone = lambda *_, **__: tiny_backbone()
    run_verb(train.main, sys.argv[2:])
