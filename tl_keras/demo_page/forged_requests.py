"""Requests that the page itself does not send: each is one line in the terminal, and reads no file."""

import functools
import os

import gradio

from tl_keras.errors import MAX_QUOTED, first_line
from tl_keras.system.escaping import for_terminal

FORGED = "The request does not come from this page: open the address that the demo printed."


class OneLineErrors:
    """Answers a request that the application fails on with 400, and prints one line in place of a traceback.

    Args:
        app: ASGI application.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """Handles a request or a connection of ASGI."""
        started = False

        async def send_on(message):
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        # Gradio raises errors of every kind, such as of a name of a function that it does not have.
        except Exception as error:
            report(error)
            if scope["type"] == "http" and not started:
                headers = [(b"content-type", b"text/plain; charset=utf-8")]
                await send({"type": "http.response.start", "status": 400, "headers": headers})
                await send({"type": "http.response.body", "body": FORGED.encode()})


def report(error):
    """Prints that a request was refused."""
    # Gradio wraps what `preprocess` raises.
    error = error.__cause__ or error
    reason = for_terminal(f"{type(error).__name__}: {first_line(error)}")[:MAX_QUOTED]
    print(f"demo: a request was refused ({reason})", flush=True)


def refuse_forged_values(page):
    """Makes a page answer values that its inputs cannot have with a sentence.

    Args:
        page: `gradio.Blocks`.
    """
    page.preprocess_data = functools.partial(_preprocess, page.preprocess_data)


async def _preprocess(preprocess, *arguments, **named):
    try:
        return await preprocess(*arguments, **named)
    # Raised by Gradio for files that were not uploaded, and by the check of the values.
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        report(error)
        raise gradio.Error(FORGED, print_exception=False) from error


def require_upload(path):
    """Refuses the path of a file that is not in Gradio's folder of uploads and examples.

    Gradio checks only the paths that a request marks as those of files.

    Args:
        path: path from a request.

    Raises:
        ValueError: it leads elsewhere.
    """
    uploads = os.path.realpath(os.environ["GRADIO_TEMP_DIR"])
    if not os.path.realpath(path).startswith(uploads + os.sep):
        raise ValueError(f"{path!r} is no uploaded file")
