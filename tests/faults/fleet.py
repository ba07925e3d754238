"""The processes of a deployment under test: started as a user starts them, watched, killed, paused, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.faults.world import SECRETS

ROOT = Path(__file__).parents[2]
STOP_WITHIN_S = 30.0
AGAIN_S = 1.0


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


class Member:
    """One process, `clausewire WORDS --config FILE`; `within` are words before it, such as a network namespace's.

    Like a service manager it starts again what ends by itself, and counts how often that was.
    """

    def __init__(self, name: str, config: Path, *words: str, within: Iterable[str] = ()) -> None:
        self.name = name
        self.fell = 0
        self._command = (*within, sys.executable, "-m", "agents", *words, "--config", str(config))
        self._log = config.parent / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = False
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and keep it running."""
        self._wanted = True
        await self._spawn()
        self._watch = asyncio.create_task(self._keep_up(), name=f"keep up {self.name}")

    async def kill(self) -> None:
        """End it at once."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> float:
        """Ask it to stop; return the seconds that it took. One that does not is killed."""
        began = time.monotonic()
        try:
            await asyncio.wait_for(self._end(signal.SIGTERM), STOP_WITHIN_S)
        except TimeoutError:
            await self.kill()
        return time.monotonic() - began

    def pause(self) -> None:
        """Let it do nothing until it may go on."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused one go on, and another be."""
        self._signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def sends_from(self, port: int) -> bool:
        """Say whether this process holds the connection from a port of loopback."""
        inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
        try:
            return any(os.readlink(entry) in inodes for entry in Path(f"/proc/{self.pid}/fd").iterdir())
        except OSError:  # it ended meanwhile
            return False

    async def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, env={**os.environ, **SECRETS}, cwd=ROOT, stdout=log, stderr=log
            )

    async def _keep_up(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            if not self._wanted:
                return
            self.fell += 1
            say(f"{self.name} ended by itself with status {code}: see {self._log.name}")
            await asyncio.sleep(AGAIN_S)
            if self._wanted:
                await self._spawn()

    async def _end(self, number: signal.Signals) -> None:
        self._wanted = False
        self._signal(number)
        if self._process is not None:
            await self._process.wait()
        if self._watch is not None:
            await self._watch
            self._watch = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)


def _inodes(port: int) -> Iterable[str]:
    """Return the sockets on a port, as Linux numbers them."""
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = row.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]
