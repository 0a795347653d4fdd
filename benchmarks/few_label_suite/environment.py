"""Environment of the processes that the benchmark measures."""

import os
from pathlib import Path

from tl_keras.system.user_cache import user_cache

ROOT = Path(__file__).parents[2]
THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""Variables that become 1, since waiting threads would add to the CPU seconds."""
COMPUTED = ("activations", "features", "tokens")
"""Folders of tl_keras in the user's cache that hold what an earlier cell computed; others hold downloads."""


def make_environment(cache):
    """Makes the environment of one process: one thread, and a cache of its own.

    Args:
        cache: `pathlib.Path` of its folder. A new one is made, and links the downloads in the user's cache.

    Returns:
        Dict of environment variables.
    """
    source = user_cache()
    if not cache.exists():
        (cache / source.name).mkdir(parents=True)
        _link_all(source.parent, cache, (source.name,))
        _link_all(source, cache / source.name, COMPUTED)
    paths = os.pathsep.join((str(ROOT), str(ROOT / "benchmarks")))
    variables = {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(cache)}
    return os.environ | dict.fromkeys(THREAD_COUNTS, "1") | variables


def _link_all(source, target, excluded):
    if source.is_dir():
        for path in source.iterdir():
            if path.name not in excluded:
                (target / path.name).symlink_to(path)
