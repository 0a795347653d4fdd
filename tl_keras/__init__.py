"""Transfer learning for Keras: pretrained networks, staged unfreezing, and the proof that it paid.

The names are loaded when they are first used: `import tl_keras` costs no TensorFlow.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
