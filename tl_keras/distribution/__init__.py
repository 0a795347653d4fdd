"""Floor 1: training on several devices or machines with tf.distribute."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
