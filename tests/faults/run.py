"""Kill it a hundred times: every expected alert arrives, none twice.

    python tests/faults/run.py --kills 100 [--seed 7] [--documents 12] [--folder DIR]

A controller changes pages one by one and kills the program with SIGKILL at random moments, start-up included. At the
end it waits until everything expected arrived, replays the recorded pages and compares ids with what was alerted. The
last line is `kills N, expected N, lost N, doubled N`; exit status 0 only if both are 0.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.world import ROUTES, SECRETS, FaultyWorld

FIRST_VERSIONS_S = 60.0
ARRIVAL_S = 150.0
STARTING = 0.25  # the share of kills during start-up


@dataclass(kw_only=True)
class Outcome:
    """What came of a run."""

    kills: int
    expected: int
    lost: list[str]
    doubled: list[str]
    replay_equal: bool
    replay: str = ""

    @property
    def well(self) -> bool:
        return not self.lost and not self.doubled and self.replay_equal

    def __str__(self) -> str:
        return f"kills {self.kills}, expected {self.expected}, lost {len(self.lost)}, doubled {len(self.doubled)}"


class Program:
    """The program as a user starts it, in a process that can be killed."""

    def __init__(self, config: Path, *words: str) -> None:
        self._config = config
        self._words = words or ("run",)
        self._log = config.parent / f"{'-'.join(self._words)}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "agents", *self._words, "--config", str(self._config)),
                env={**os.environ, **SECRETS},
                cwd=Path(__file__).parents[2],
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> float:
        """Ask it to stop; return the seconds that it took."""
        assert self._process is not None
        began = time.monotonic()
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self._process.wait(), 20)
        return time.monotonic() - began


async def run(folder: Path, *, kills: int, seed: int, documents: int, broker: str = "embedded") -> Outcome:
    """Run the whole story and return what came of it."""
    async with FaultyWorld(folder, documents=documents, seed=seed) as world:
        config = world.configuration(f"embedded://{folder}/log.db" if broker == "embedded" else broker)
        program = Program(config)
        await program.start()
        await until(lambda: all(world.arrived(number) for number in range(documents)), FIRST_VERSIONS_S)
        await asyncio.sleep(2)
        changing = asyncio.create_task(change(world))
        for number in range(kills):
            await moment(world)
            await program.kill()
            say(f"kill {number + 1} of {kills}, {sum(world.revisions)} changes so far")
            await program.start()
        changing.cancel()
        await until(lambda: all(world.arrived(number) for number in range(documents)), ARRIVAL_S)
        await asyncio.sleep(3)
        say(f"stopped in {await program.stop():.1f} s")
        equal, told = await replayed(config)
        return judged(world, kills, equal, told)


async def moment(world: FaultyWorld) -> None:
    """Wait for the moment to kill: some time into the start, or some time after the pages are read again."""
    if world.random.random() < STARTING:
        return await asyncio.sleep(world.random.uniform(0.2, 3.0))
    before = sum(world.reads.values())
    await until(lambda: sum(world.reads.values()) > before, ARRIVAL_S)
    return await asyncio.sleep(world.random.uniform(0.0, 4.0))


async def change(world: FaultyWorld) -> None:
    """Change a document as soon as its last change arrived, for ever."""
    while True:
        for document in world.random.sample(range(len(world.revisions)), len(world.revisions)):
            if world.arrived(document):
                world.revisions[document] += 1
            await asyncio.sleep(world.random.uniform(0.05, 0.4))


def judged(world: FaultyWorld, kills: int, equal: bool, replay: str) -> Outcome:
    """Compare what arrived with what was to arrive."""
    told = world.told()
    expected = [
        1000 * (document + 1) + revision
        for document, last in enumerate(world.revisions)
        for revision in range(1, last + 1)
    ]
    lost = [
        f"{channel} {number}" for channel, ids in told.items() for number in expected if number not in ids
    ]
    doubled = [
        f"{channel} {number}"
        for channel, ids in told.items()
        for number, held in ids.items()
        if len(held) > 1
    ]
    doubled += [f"{stray.channel} {stray.message_id}" for stray in world.strays()]
    return Outcome(
        kills=kills,
        expected=len(expected) * len(ROUTES),
        lost=lost,
        doubled=doubled,
        replay_equal=equal,
        replay=replay,
    )


async def replayed(config: Path) -> tuple[bool, str]:
    """Replay the recorded pages: an undisturbed run over the same history gives the same ids."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agents", "replay", "--topic", "pages.fetched", "--config", str(config)),
        env={**os.environ, **SECRETS},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode == 0, told.decode().strip().splitlines()[-1] if told else ""


async def until(holds: object, within_s: float) -> bool:
    """Wait until something holds, for so long at most."""
    assert callable(holds)
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if holds():
            return True
        await asyncio.sleep(0.1)
    return False


def say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--broker", default="embedded", help="embedded, or a broker URL")
    given = parser.parse_args()
    say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as spare:
        folder = (given.folder or Path(spare)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        outcome = asyncio.run(
            run(folder, kills=given.kills, seed=given.seed, documents=given.documents, broker=given.broker)
        )
    for line in (*outcome.lost[:10], *outcome.doubled[:10]):
        say(line)
    say(f"replay: {outcome.replay}")
    say(str(outcome))
    sys.exit(0 if outcome.well else 1)


if __name__ == "__main__":
    main()
