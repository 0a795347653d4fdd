"""Interruptions in the first second of a verb, in which Python still imports."""

import signal


def end_silently():
    """Makes Ctrl-C end the process at once and without a traceback, until `report_interrupts`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def report_interrupts():
    """Restores what `end_silently` changed, so that Ctrl-C raises KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
