"""HTTP/2 over TLS, against a small real server."""

from __future__ import annotations

import asyncio
import ssl

import h2.config
import h2.connection
import h2.events
import trustme

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher, FetchLimits


class Server(asyncio.Protocol):
    """Answers every HTTP/2 request with its path, and counts connections."""

    connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        type(self).connections += 1
        self.transport = transport
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.http.initiate_connection()
        transport.write(self.http.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.http.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                path = dict(event.headers)[b":path"]
                self.http.send_headers(event.stream_id, [(":status", "200"), ("etag", 'W/"1"')])
                self.http.send_data(event.stream_id, path, end_stream=True)
        self.transport.write(self.http.data_to_send())


async def test_speaks_http_2() -> None:
    """Pages of one host come over one HTTP/2 connection."""
    ca, tls, trusting = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ca.configure_trust(trusting)
    tls.set_alpn_protocols(["h2"])
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        Fetcher(clock=SystemClock(), limits=FetchLimits(spacing_s=0), verify=trusting) as fetcher,
    ):
        bodies = [(await fetcher.fetch(f"{url}{path}")).body for path in ("/a", "/b")]
    await asyncio.sleep(0.05)  # the server's side of the connection closes
    assert (bodies, Server.connections) == ([b"/a", b"/b"], 1)
