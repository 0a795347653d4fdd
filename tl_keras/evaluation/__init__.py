"""Floor 2: predictions in, numbers and pictures out. Knows no model class."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
