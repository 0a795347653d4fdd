import asyncio

import pytest

from tl_keras.demo_page.local_hosts import LocalHostsOnly, is_local


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"127.0.0.1:7860", True),
        (b"LocalHost:7860", True),
        (b"[::1]:8000", True),
        (b"localhost", True),
        (b"[::1]", True),
        (b"evil.example:7860", False),
        (b"127.0.0.1.evil.example", False),
        (b"localhost:7860@evil.example", False),
        (b"192.168.0.7:7860", False),
        (b"", False),
    ],
)
def test_names_of_this_machine_are_known(host, expected):
    assert is_local(host) == expected


def answers(kind, host, *others):
    """Returns what is sent for a request, and whether it reached the application."""
    sent, reached = [], []

    async def app(scope, receive, send):
        reached.append(scope)

    async def send(message):
        sent.append(message)

    headers = [*([] if host is None else [(b"host", host)]), *others]
    asyncio.run(LocalHostsOnly(app)({"type": kind, "headers": headers}, None, send))
    return sent, bool(reached)


def test_other_names_are_refused():
    assert answers("http", b"localhost:1") == ([], True) == answers("lifespan", None)
    for host in (b"evil.example", None):
        (start, body), reached = answers("http", host)
        assert start["status"] == 403 and b"localhost" in body["body"] and not reached
    assert answers("websocket", b"evil.example") == ([{"type": "websocket.close", "code": 1008}], False)


@pytest.mark.parametrize("origin", [b"http://evil.example", b"http://127.0.0.1.evil.example:1", b"null", b""])
def test_pages_of_other_sites_cannot_upload(origin):
    (start, _), reached = answers("http", b"127.0.0.1:1", (b"origin", origin))
    assert start["status"] == 403 and not reached


def test_the_own_page_may_upload():
    assert answers("http", b"127.0.0.1:1", (b"origin", b"http://127.0.0.1:1")) == ([], True)
