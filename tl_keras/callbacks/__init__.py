"""Floor 3: callbacks of a run: progress output, checkpoints and resuming."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
