"""What a run is told: flags over a YAML file over defaults. Knows no TensorFlow, so that mistakes answer at once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
