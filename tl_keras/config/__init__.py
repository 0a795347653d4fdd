"""Configuration of a run: flags override a YAML file, which overrides defaults. Loads no TensorFlow, to fail fast."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
