"""Explanations of single predictions: the parts of an image, or the words, that a network goes by."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
