"""Object detectors on any backbone: their parts, each for itself, and the models made of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
