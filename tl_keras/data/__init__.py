"""Floor 1: from what a user has, folders, tables and data sets, to batches. Knows no model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
