"""Floor 3: what a run does besides learning: telling how it goes, and keeping what it has."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
