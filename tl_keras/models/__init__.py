"""Pretrained networks with named blocks, and a head for each task. Imports nothing from `data`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
