"""Refusal of requests by other names of this machine (DNS rebinding), and of those that pages of other sites send."""

import re

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d+)?")


class LocalHostsOnly:
    """Answers requests whose `Host` or `Origin` is not one of `LOCAL_HOSTS` with 403; others reach the application.

    A page of a stranger can give its own name the address 127.0.0.1, and is then of the same origin as this page; but
    the browser still sends that name. A form of another page could upload files without reading the answer; with it
    browsers send the `Origin`, which programs leave out.

    Args:
        app: ASGI application.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """Handles a request or a connection of ASGI."""
        if scope["type"] == "lifespan" or _is_own(dict(scope["headers"])):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            message = f"This page answers on {', '.join(LOCAL_HOSTS)} only: open the address that the demo printed."
            await send({"type": "http.response.body", "body": message.encode()})


def _is_own(headers):
    origin = headers.get(b"origin")
    return is_local(headers.get(b"host", b"")) and (origin is None or is_local(origin.partition(b"://")[2]))


def is_local(host):
    """Returns whether a `Host` header, bytes, names this machine, with or without a port."""
    match = _HOST.fullmatch(host.decode("latin-1").lower())
    return bool(match) and match[1] in LOCAL_HOSTS
