"""Quick garbage collection in a process that has loaded TensorFlow, and with it 400,000 objects that stay."""

import contextlib
import gc


@contextlib.contextmanager
def quick_collection():
    """Lets garbage be looked for among what is made from now on, and at the end among all objects again.

    What somebody else has frozen already, by `gc.freeze`, stays so: it cannot be told apart when all is unfrozen.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
