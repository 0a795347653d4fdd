"""Peak memory of the processes that a benchmark starts, and of its own."""

import resource
import sys


def peak_megabytes(usage=None):
    """Returns the peak memory of a process.

    Args:
        usage: its `resource.struct_rusage`; None takes the process that calls.
    """
    usage = usage or resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss is in KiB on Linux, in bytes on macOS.
    return usage.ru_maxrss * (1e-6 if sys.platform == "darwin" else 1024e-6)
