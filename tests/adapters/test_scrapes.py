"""The server for Prometheus and probes: it answers while the loop hangs, and says what to do when it cannot listen."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from pipeline.adapters.scrapes import Answer, ScrapeServer, told
from pipeline.errors import ConfigError

PATHS = {"/well": lambda: told({"live": True}), "/ill": lambda: told({"live": False}, well=False)}


def get(url: str, method: str = "GET") -> tuple[int, bytes]:
    """Return status and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def url() -> Iterator[str]:
    server = ScrapeServer("127.0.0.1", 0, PATHS)
    yield server.open()
    server.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/well", 200, b'{"live": true}\n'),
        ("GET", "/well?x=1", 200, b'{"live": true}\n'),
        ("HEAD", "/well", 200, b""),
        ("GET", "/ill", 503, b'{"live": false}\n'),
        ("GET", "/other", 404, b"not here; try /ill, /well\n"),
        ("GET", "//well/../ill", 404, b"not here; try /ill, /well\n"),
    ],
)
def test_paths_are_answered(url: str, method: str, path: str, status: int, body: bytes) -> None:
    """A known path answers with its status, another says which ones there are."""
    assert get(url + path, method) == (status, body)


async def test_hanging_loop_is_no_hindrance(url: str) -> None:
    """The server answers while the event loop is busy: this very test holds it."""
    assert get(f"{url}/well")[0] == 200


def test_post_is_refused(url: str) -> None:
    """Nothing can be sent to it."""
    assert get(f"{url}/well", "POST")[0] == 501


@pytest.mark.parametrize(
    "sent", [b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe\x00", b"GET /well HTTP/1.1\r\n" + b"x: y\r\n" * 200]
)
def test_bad_requests_stop_nothing(url: str, sent: bytes) -> None:
    """Bytes that are no request leave it answering."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(sent)
    assert get(f"{url}/well")[0] == 200


def test_broken_answer_stops_nothing() -> None:
    """An answer that cannot be made ends its own request only."""

    def broken() -> Answer:
        raise ZeroDivisionError

    server = ScrapeServer("127.0.0.1", 0, {**PATHS, "/broken": broken})
    url = server.open()
    with pytest.raises(OSError):
        get(f"{url}/broken")
    assert get(f"{url}/well")[0] == 200
    server.close()


def test_taken_port_is_told() -> None:
    """A port that is taken is an error that names it and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}") as caught:
            ScrapeServer("127.0.0.1", port, PATHS).open()
    assert "--metrics-port" in caught.value.remedy


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host.invalid", "x" * 300])
def test_bad_host_is_told(host: str) -> None:
    """An address that is not this machine's is an error that names it, never a traceback."""
    with pytest.raises(ConfigError, match="cannot listen on"):
        ScrapeServer(host, 0, PATHS).open()


def test_ipv6_works() -> None:
    """An address of IPv6 is listened on, and written so in the URL."""
    server = ScrapeServer("::1", 0, PATHS)
    url = server.open()
    assert url.startswith("http://[::1]:")
    assert get(f"{url}/well")[0] == 200
    server.close()


def test_closing_is_quick() -> None:
    """Closing waits for no client that holds its connection open."""
    server = ScrapeServer("127.0.0.1", 0, PATHS)
    host, _, port = server.open().removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))):
        started = time.monotonic()
        server.close()
    assert time.monotonic() - started < 2
