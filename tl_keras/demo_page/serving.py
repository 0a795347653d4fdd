"""Serves the page to this machine alone: no telemetry, no shared link, and uploads that are removed at the end."""

import contextlib
import errno
import importlib
import importlib.util
import os
import socket
import tempfile
import threading

from tl_keras.demo_page.local_hosts import LocalHostsOnly
from tl_keras.errors import InputError
from tl_keras.system.interruption import StopSignals

HOST, DEFAULT_PORT, MAX_PORT = "127.0.0.1", 7860, 65535
SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ALLOWED_PATHS": "",
    "GRADIO_CACHE_EXAMPLES": "false",
    "GRADIO_RUN_HISTORY": "False",
    "HF_HUB_OFFLINE": "1",
}
"""Variables of Gradio that the environment must not decide."""
ANSWERS_AT_ONCE = 1


def require_gradio():
    """Refuses to start without Gradio, before anything else is loaded.

    Raises:
        InputError: names the command that installs it.
    """
    if importlib.util.find_spec("gradio") is None:
        raise InputError("The demo needs a package that is missing: pip install 'gradio>=6.0,<7'")


def check_port(port):
    """Refuses a port that cannot be used.

    Args:
        port: int.

    Raises:
        InputError: it is in use, reserved or out of range.
    """
    if not 1 <= port <= MAX_PORT:
        raise InputError(f"--port must lie from 1 to {MAX_PORT}: got {port}.")
    try:
        _bind(port)
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise InputError(
            f"Port {port} of this machine {reason}: give --port another one, such as {_bind(0)}."
        ) from None


def serve(runs, port):
    """Runs the page until the process is interrupted.

    Args:
        runs: list of `TrainedRun`.
        port: int, free.
    """
    with StopSignals(), private_settings():
        # Loaded here, because Gradio reads its settings at import, and takes seconds.
        build_page = importlib.import_module("tl_keras.demo_page.page").build_page
        page = build_page(runs)
        for run in runs:
            _ = run.model
        page.queue(default_concurrency_limit=ANSWERS_AT_ONCE)
        launch(page, port)
        print(f"demo: http://{HOST}:{port} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        finally:
            page.close(verbose=False)


def launch(page, port):
    """Starts the server of a page in a thread.

    Args:
        page: `gradio.Blocks`.
        port: int.
    """
    middleware = importlib.import_module("starlette.middleware").Middleware
    one_line_errors = importlib.import_module("tl_keras.demo_page.forged_requests").OneLineErrors
    page.launch(
        app_kwargs={"middleware": [middleware(LocalHostsOnly), middleware(one_line_errors)]},
        server_name=HOST,
        server_port=port,
        share=False,
        ssr_mode=False,
        mcp_server=False,
        prevent_thread_lock=True,
        quiet=True,
        footer_links=[],
    )


@contextlib.contextmanager
def private_settings():
    """Keeps uploads in a folder that is removed at the end, and sets what the environment must not decide."""
    with tempfile.TemporaryDirectory(prefix="tl_keras-demo-") as uploads:
        before = dict(os.environ)
        # Gradio asks its own server whether it is up, which a proxy could not answer.
        hosts = ",".join(filter(None, [before.get("NO_PROXY") or before.get("no_proxy"), HOST, "localhost"]))
        os.environ.update(SETTINGS | {"GRADIO_TEMP_DIR": uploads, "NO_PROXY": hosts, "no_proxy": hosts})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _bind(port):
    """Binds a port for a moment and returns it; 0 stands for any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return probe.getsockname()[1]
