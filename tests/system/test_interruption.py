import os
import signal
import subprocess
import sys
import threading

import pytest

from tl_keras.system.interruption import Interrupted, StopSignals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_at_once_where_nothing_is_deferred(number, code):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as stop, StopSignals():
        os.kill(os.getpid(), number)
    assert stop.value.exit_code == code
    assert signal.getsignal(number) is before


def test_a_deferred_signal_waits_until_it_is_asked_for(capfd):
    with StopSignals() as signals:
        signals.deferring = True
        signals.check()
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.received == signal.SIGTERM
        signals.check(patience=60)
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


def test_another_thread_listens_to_nothing():
    before, found = signal.getsignal(signal.SIGTERM), []

    def listen():
        with StopSignals() as signals:
            found.append((signal.getsignal(signal.SIGTERM), signals.received))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [(before, None)]
