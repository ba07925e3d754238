"""A network of its own for one process, which can be cut: a Linux network namespace whose loopback leads to ours.

For each port a listener inside the namespace hands connections on to the same port outside. To cut the network the
namespace's loopback is taken down: packets are lost, connections hang, as when a cable is pulled.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
CLONE_NEWNET = 0x40000000
CHUNK = 1 << 16


def obstacle() -> str:
    """Return why networks cannot be cut here, "" when they can."""
    if shutil.which("ip") is None:
        return "there is no `ip` on this machine"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    name = f"faults-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return made.stderr.strip()
    subprocess.run(["ip", "netns", "del", name], check=True)
    return ""


class Namespace:
    """A namespace for as long as its context lasts; `within` are the words that put a command into it."""

    def __init__(self, name: str, ports: Iterable[int]) -> None:
        self._name = name
        self._ports = list(ports)
        self._servers: list[asyncio.Server] = []
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def within(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._name)

    async def __aenter__(self) -> Namespace:
        _ip("netns", "add", self._name)
        self.mend()
        for port, listener in zip(self._ports, _listeners(self._name, self._ports), strict=True):
            self._servers.append(await asyncio.start_server(self._relay(port), sock=listener))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for task in self._relays:
            task.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        _ip("netns", "del", self._name)

    def cut(self) -> None:
        """Let nothing in or out."""
        _ip("-n", self._name, "link", "set", "lo", "down")

    def mend(self) -> None:
        """Let all through."""
        _ip("-n", self._name, "link", "set", "lo", "up")

    def _relay(self, port: int):  # type: ignore[no-untyped-def]
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(_joined(reader, writer, port))
            self._relays.add(task)
            task.add_done_callback(self._relays.discard)

        return accepted


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    try:
        outside, outwards = await asyncio.open_connection(HOST, port)
    except OSError:
        writer.transport.abort()
        return
    flows = [asyncio.create_task(_flow(reader, outwards)), asyncio.create_task(_flow(outside, writer))]
    try:
        await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for flow in flows:
            flow.cancel()
        await asyncio.gather(*flows, return_exceptions=True)
        outwards.transport.abort()
        writer.transport.abort()


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        return


def _listeners(name: str, ports: list[int]) -> list[socket.socket]:
    """Return sockets that listen inside a namespace: a socket belongs to the network it was made in."""
    made: list[socket.socket] = []

    def make() -> None:
        with Path(f"/run/netns/{name}").open() as entry:
            if ctypes.CDLL(None, use_errno=True).setns(entry.fileno(), CLONE_NEWNET):
                return
        made.extend(socket.create_server((HOST, port)) for port in ports)

    thread = threading.Thread(target=make)  # it alone enters, and ends there
    thread.start()
    thread.join()
    if len(made) != len(ports):
        raise OSError(f"no listeners in the namespace {name}")
    return made


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
