"""Floor 1: pretrained networks with named blocks, and the heads for each task. Knows no data."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
