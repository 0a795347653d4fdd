"""Reads every hostile file in a process with limits that sees all files, processes and sockets.

`python -m tests.security.system_calls tests.security.sandbox` prints one JSON object for each case of `hostile_files`.
The audit hook sees what Python does, on every system; the supervisor also sees what C code does, on Linux.
"""

import json
import os
import resource
import shutil
import signal
import sys
import sysconfig
import tempfile
import time
import traceback
from pathlib import Path

from tests.security import system_calls
from tests.security.hostile_files import C_CONTROLS, CASES, CONTROLS
from tl_keras.errors import InputError

MAX_SECONDS = 10
SECONDS_OF_A_CONTROL = 1
"""CPU time at which a case that never ends is stopped; nobody has to wait for the limit of the others."""
MAX_BYTES = 2 * 2**30
FORBIDDEN = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "socket.",
    "pickle.find_class",
)
CODE = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(__file__).parents[2])]
CODE += [path for path in sys.path if path.endswith(".zip")]
SYSTEM = ["/proc/", "/sys/", "/dev/", "/usr/", "/etc/localtime", "/etc/mime.types"]
"""What Python and its packages read for themselves."""
watch = {"folder": None, "events": []}


def audit(event, arguments):
    """Records a forbidden event, and each file outside of the folder of the case."""
    if watch["folder"] is None:
        return
    if event.startswith(FORBIDDEN):
        watch["events"].append(f"{event} {arguments}"[:200])
    elif event == "open" and isinstance(arguments[0], str | bytes):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if not path.startswith((watch["folder"], *CODE, *SYSTEM)):
            watch["events"].append(f"open {path}"[:200])


def run(case, seconds=MAX_SECONDS):
    """Reads the file of a case for at most some seconds of CPU time; returns what happened as a dict."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-")) / "files"
    folder.mkdir()
    started, watch["events"] = time.process_time(), []
    if system_calls.is_watched():
        system_calls.start([str(folder), *CODE, *SYSTEM])
    watch["folder"] = str(folder)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        case(folder)
        result = "read"
    except InputError as error:
        result = str(error)
    except BaseException:
        result = f"TRACEBACK {traceback.format_exc()[-1500:]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch["folder"] = None
    system_events = system_calls.stop() if system_calls.is_watched() else []
    has_canary = (folder / "canary").exists()
    shutil.rmtree(folder.parent)
    seconds = time.process_time() - started
    events = {"events": watch["events"], "system_events": system_events}
    return {"result": result, **events, "canary": has_canary, "seconds": seconds}


def _stop(*_):
    raise TimeoutError("more seconds than a case may take")


def main():
    """Runs all cases, after one of each kind that loads the packages."""
    signal.signal(signal.SIGPROF, _stop)
    sys.addaudithook(audit)
    for name in ("class: Lambda", "names of a COCO file", "image: half of a AVIF", "arrays: bomb"):
        if name in CASES:
            run(CASES[name])
    used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (used + MAX_BYTES, resource.RLIM_INFINITY))
    print(json.dumps({"name": "watched", "result": system_calls.is_watched()}))
    for cases, seconds in ((CASES, MAX_SECONDS), ({**CONTROLS, **C_CONTROLS}, SECONDS_OF_A_CONTROL)):
        for name, case in cases.items():
            print(json.dumps({"name": name, **run(case, seconds)}), flush=True)


if __name__ == "__main__":
    main()
