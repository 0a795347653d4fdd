import os
import signal
import subprocess
import sys
import threading

import pytest

from tl_keras.system.interruption import Interrupted, StopSignals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_raised_at_once_without_deferring(number, code):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as stop, StopSignals():
        os.kill(os.getpid(), number)
    assert stop.value.exit_code == code
    assert signal.getsignal(number) is before


def test_a_deferred_signal_is_raised_by_check(capfd):
    with StopSignals() as signals:
        signals.deferring = True
        signals.check()
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.received == signal.SIGTERM
        signals.check(min_seconds=60)
        with pytest.raises(Interrupted, match="SIGTERM"):
            signals.check()
    assert "a second signal quits at once" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process(number):
    code = (
        "import os, signal\n"
        "from tl_keras.system.interruption import StopSignals\n"
        "with StopSignals() as signals:\n"
        "    signals.deferring = True\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    print('still here')\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (-number, "")


def test_no_handlers_are_installed_in_another_thread():
    before, states = signal.getsignal(signal.SIGTERM), []

    def listen():
        with StopSignals() as signals:
            states.append((signal.getsignal(signal.SIGTERM), signals.received))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert states == [(before, None)]
