"""Reads folders, tables and data sets and turns them into batches. Imports no model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
