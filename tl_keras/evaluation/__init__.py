"""Metrics, plots, reports and model cards, computed from predictions without any model class."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
