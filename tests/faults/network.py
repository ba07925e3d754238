"""A network of its own for one process, which can be cut: a namespace where the machine allows, else a proxy.

`Namespace` is a Linux network namespace whose loopback leads to ours: for each port a listener inside hands connections
on to the same port outside. To cut the network the namespace's loopback is taken down: packets are lost, connections
hang, as when a cable is pulled. `Proxy` relays the brokers' ports alone and, cut, passes nothing on: the brokers are
out of reach, and the receivers are not.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

HOST = "127.0.0.1"
CLONE_NEWNET = 0x40000000
CHUNK = 1 << 16


class Cable(Protocol):
    """What joins a process to the rest, until it is cut."""

    def cut(self) -> None: ...

    def mend(self) -> None: ...


def obstacle() -> str:
    """Return why there can be no namespace here, "" when there can."""
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


class _Relays:
    """Listeners that hand connections on to ports of ours, while their gate is open."""

    def __init__(self) -> None:
        self._gate = asyncio.Event()
        self._gate.set()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def _relay(self, listener: socket.socket, port: int) -> None:
        self._servers.append(await asyncio.start_server(partial(self._accepted, port), sock=listener))

    def _accepted(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_joined(reader, writer, port, self._gate))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Namespace(_Relays):
    """A namespace for as long as its context lasts; `within` are the words that put a command into it."""

    def __init__(self, name: str, ports: Iterable[int]) -> None:
        super().__init__()
        self._name = name
        self._ports = list(ports)

    @property
    def within(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._name)

    async def __aenter__(self) -> Self:
        _ip("netns", "add", self._name)
        self.mend()
        for port, listener in zip(self._ports, _listeners(self._name, self._ports), strict=True):
            await self._relay(listener, port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()
        _ip("netns", "del", self._name)

    def cut(self) -> None:
        """Let nothing in or out."""
        _ip("-n", self._name, "link", "set", "lo", "down")

    def mend(self) -> None:
        """Let all through."""
        _ip("-n", self._name, "link", "set", "lo", "up")


class Proxy(_Relays):
    """Relays ports of loopback to others for as long as its context lasts: `ports` maps where to listen to where to lead."""

    def __init__(self, ports: Mapping[int, int]) -> None:
        super().__init__()
        self._ports = dict(ports)

    async def __aenter__(self) -> Self:
        for listen, port in self._ports.items():
            await self._relay(socket.create_server((HOST, listen)), port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.set()
        await self._end()

    def cut(self) -> None:
        """Pass nothing on; connections stay, and hang."""
        self._gate.clear()

    def mend(self) -> None:
        """Pass on all, what came meanwhile too."""
        self._gate.set()


async def _joined(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, gate: asyncio.Event
) -> None:
    try:
        await gate.wait()
        outside, outwards = await asyncio.open_connection(HOST, port)
    except OSError:
        writer.transport.abort()
        return
    flows = [
        asyncio.create_task(_flow(reader, outwards, gate)),
        asyncio.create_task(_flow(outside, writer, gate)),
    ]
    try:
        await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for flow in flows:
            flow.cancel()
        await asyncio.gather(*flows, return_exceptions=True)
        outwards.transport.abort()
        writer.transport.abort()


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
    try:
        while data := await reader.read(CHUNK):
            await gate.wait()
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
