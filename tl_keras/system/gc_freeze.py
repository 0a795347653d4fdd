"""Fast garbage collection although TensorFlow has loaded 400,000 objects that are never freed."""

import contextlib
import gc


@contextlib.contextmanager
def quick_collection():
    """Limits garbage collection to objects created inside the block; all are collected again afterwards.

    Does nothing if objects are frozen already: `gc.unfreeze` would unfreeze those, too.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
