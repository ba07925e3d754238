"""A hundred webhook endpoints in one process: the first hangs, the second answers 500, the others 200.

Run `python -m tests.bench.hook_server COUNT`; prints the port, and serves it on 127.0.1.1 to 127.0.1.COUNT.
"""

from __future__ import annotations

import asyncio
import sys

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class Endpoint(asyncio.Protocol):
    """Reads requests with a Content-Length, and answers each as told; nothing to answer is silence."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            if self._answer:
                self._transport.write(self._answer)


async def serve(count: int) -> None:
    """Serve `count` endpoints until the process ends."""
    loop, port = asyncio.get_running_loop(), 0
    for number in range(1, count + 1):
        answer = {1: b"", 2: FAILED}.get(number, OK)
        server = await loop.create_server(lambda answer=answer: Endpoint(answer), f"127.0.1.{number}", port)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
