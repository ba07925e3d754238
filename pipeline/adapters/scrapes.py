"""A small HTTP server in a thread of its own, for Prometheus and for health probes: it answers when the loop hangs."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from pipeline.errors import ConfigError

REQUEST_S = 10.0
LOOK_S = 0.1  # how often it looks whether it is to close


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers."""

    body: bytes
    media_type: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK


def told(value: object, *, well: bool = True) -> Answer:
    """Return a value as JSON; 503 when things are not well."""
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(json.dumps(value).encode() + b"\n", status=status)


Paths = Mapping[str, Callable[[], Answer]]


class ScrapeServer:
    """Answers GET on a few paths from when it is opened until it is closed; port 0 takes any that is free."""

    def __init__(self, host: str, port: int, paths: Paths) -> None:
        self._host, self._port, self._paths = host, port, paths
        self._server: ThreadingHTTPServer | None = None

    def open(self) -> str:
        """Listen; returns the URL. ConfigError when the address cannot be had."""
        try:
            family = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0][0]
            self._server = _server(family, self._host, self._port, self._paths)
        except (OSError, OverflowError, UnicodeError) as error:
            raise ConfigError(
                f"cannot listen on {self._host} port {self._port}: {_reason(error)}",
                key="--metrics-port",
                remedy="stop what listens there, or give another --metrics-port or --metrics-host",
            ) from error
        serve = partial(self._server.serve_forever, poll_interval=LOOK_S)
        threading.Thread(target=serve, name="scrapes", daemon=True).start()
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.server_port}"

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _server(family: socket.AddressFamily, host: str, port: int, paths: Paths) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = family
        daemon_threads = True
        block_on_close = False

        def server_bind(self) -> None:
            """Bind as any TCP server; the one for HTTP would look its own name up first."""
            TCPServer.server_bind(self)
            self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nothing: a client that went away is not our trouble."""

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "Clausewire", ""
        timeout = REQUEST_S

        def do_GET(self) -> None:
            answer = _answer(paths, self.path.partition("?")[0])
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a probe every few seconds is no news."""

    return Server((host, port), Handler)


def _answer(paths: Paths, path: str) -> Answer:
    found = paths.get(path)
    if found is None:
        known = ", ".join(sorted(paths))
        return Answer(f"not here; try {known}\n".encode(), "text/plain; charset=utf-8", HTTPStatus.NOT_FOUND)
    return found()
