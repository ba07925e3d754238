"""Kill it a hundred times: every expected alert arrives, none twice.

    python tests/faults/run.py --kills 100 [--broker embedded|kafka] [--seed 7] [--documents 8] [--folder DIR] [--proxy]

A controller changes pages one by one, publishes news, and kills the program with SIGKILL: at random moments, start-up
included, and while a receiver holds a message of its. On Kafka two workers and two pollers run on three brokers; beside
the kills of either, brokers are stopped, processes paused past the session timeout, one worker's network cut and one
broker's disk filled. At the end it waits until everything expected arrived, sees that offsets are committed and no
topic is left over, replays the recorded pages and compares ids with what was alerted. The last line is `kills N, expected N, lost N, doubled N`; exit status 0 only if both are 0
and the rest holds.
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
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.deployment import PARTITIONS, Deployment, deployed
from tests.faults.fleet import Member, say
from tests.faults.world import ROUTES, SECRETS, SETS, FaultyWorld

FIRST_VERSIONS_S = 120.0
ARRIVAL_S = 240.0
COMMITTED_S = 20.0
STARTING = 0.25  # the share of faults during start-up


@dataclass(kw_only=True)
class Outcome:
    """What came of a run; `wrong` is what else does not hold."""

    kills: int
    expected: int
    lost: list[str]
    doubled: list[str]
    wrong: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not self.lost and not self.doubled and not self.wrong

    def __str__(self) -> str:
        return f"kills {self.kills}, expected {self.expected}, lost {len(self.lost)}, doubled {len(self.doubled)}"


async def run(
    folder: Path,
    *,
    kills: int,
    seed: int,
    documents: int,
    broker: str = "embedded",
    full: bool = True,
    proxy: bool = False,
) -> Outcome:
    """Run the whole story and return what came of it."""
    async with (
        FaultyWorld(folder, documents=documents, seed=seed, patient=full) as world,
        deployed(world, broker=broker, seed=seed, full=full, proxy=proxy) as made,
    ):
        await made.start()
        await until(world.all_arrived, FIRST_VERSIONS_S)
        await asyncio.sleep(2)
        await troubled(world, made, kills)
        await until(world.is_over, ARRIVAL_S)
        wrong = await made.at_rest()
        if made.one:
            await handed_over(world, made.one)
            wrong += await made.at_rest()
        await asyncio.sleep(3)
        wrong += await left_behind(made)
        for member in made.members:
            say(
                f"{member.name} stopped in {await member.stop():.1f} s; it had ended by itself {member.fell} times"
            )
        wrong += await replayed(made.config)
        for line in received(world):
            say(line)
        return judged(world, made.trouble.kills, wrong)


async def troubled(world: FaultyWorld, made: Deployment, kills: int) -> None:
    """Change pages, publish news and let faults happen until there were so many kills."""
    going_on = [asyncio.create_task(change(world)), asyncio.create_task(report(world))]
    while made.trouble.kills < kills:
        await moment(world)
        await made.trouble.next()
    await made.trouble.over()
    for task in going_on:
        task.cancel()
    told = ", ".join(f"{kind} {number}" for kind, number in sorted(made.trouble.counts.items()))
    say(f"{sum(world.revisions)} changes and {len(world.press.items)} news items under: {told}")


async def moment(world: FaultyWorld) -> None:
    """Wait for the next fault: some time into a start, or some time after pages are read again."""
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


async def report(world: FaultyWorld) -> None:
    """Publish a news item now and then, for ever."""
    while True:
        await asyncio.sleep(world.random.uniform(1.0, 4.0))
        world.publish()


async def handed_over(world: FaultyWorld, one: Member) -> None:
    """Measure how long the line stops when a worker dies and does not come back, with receivers in good order."""
    world.trouble.share = 0.0
    usual = await change_all(world)
    await one.kill()
    after = await change_all(world)
    await one.start()
    say(
        f"every document changed: told after {usual:.1f} s, and after {after:.1f} s when a worker had just died"
    )


async def change_all(world: FaultyWorld) -> float:
    """Change every document once; return the seconds until all was told."""
    began = time.monotonic()
    world.revisions = [revision + 1 for revision in world.revisions]
    await until(world.changes_arrived, ARRIVAL_S)
    return time.monotonic() - began


async def left_behind(made: Deployment) -> list[str]:
    """Return what the brokers hold that nobody dealt with."""
    if made.brokers is None:
        return []
    end = time.monotonic() + COMMITTED_S
    while (lag := await made.brokers.lag()) and time.monotonic() < end:
        await asyncio.sleep(1)
    strangers = await made.brokers.strangers(PARTITIONS)
    say(f"not committed: {lag or 'nothing'}; left over topics: {strangers or 'none'}")
    return [f"{place}: {count} not committed" for place, count in lag.items()] + [
        f"{name} is left over" for name in strangers
    ]


def received(world: FaultyWorld) -> list[str]:
    """Return, by channel, what arrived, what befell messages there and how many repeats the receiver dropped."""
    told = []
    for channel in ROUTES.values():
        arrived = sum(arrival.channel is channel for arrival in world.inbox.arrivals)
        befell = sorted((kind, n) for (where, kind), n in world.trouble.counts.items() if where is channel)
        troubles = ", ".join(f"{kind} {n}" for kind, n in befell) or "no trouble"
        told.append(
            f"{channel.value}: {arrived} arrived, {world.inbox.repeated[channel]} repeats dropped; {troubles}"
        )
    groups = sum(arrival.body["type"] == "clausewire.alerts.gathered" for arrival in world.sets.arrivals)
    told.append(
        f"{SETS}: {len(world.sets.arrivals)} arrived, {groups} of them of many alerts, "
        f"{world.sets.repeats} repeats dropped"
    )
    return told


def judged(world: FaultyWorld, kills: int, wrong: list[str]) -> Outcome:
    """Compare what arrived with what was to arrive."""
    told, expected = world.told(), world.expected()
    lost = [f"{route} {fact}" for route, fact in expected if fact not in told[route]]
    doubled = [
        f"{route} {fact} {sorted(ids)}"
        for route, facts in told.items()
        for fact, ids in facts.items()
        if len(ids) > 1
    ]
    doubled += [f"{stray.channel} {stray.message_id} {stray.file.name}" for stray in world.strays()]
    return Outcome(kills=kills, expected=len(expected), lost=lost, doubled=doubled, wrong=wrong)


async def replayed(config: Path) -> list[str]:
    """Replay the recorded pages: an undisturbed run over the same history gives the same ids."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agents", "replay", "--topic", "pages.fetched", "--config", str(config)),
        env={**os.environ, **SECRETS},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    last = (told.decode().strip().splitlines() or ["it says nothing"])[-1]
    say(f"replay: {last}")
    return (
        []
        if process.returncode == 0 and "equal to what was alerted" in told.decode()
        else [f"replay: {last}"]
    )


async def until(holds: Callable[[], bool], within_s: float) -> bool:
    """Wait until something holds, for so long at most."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if holds():
            return True
        await asyncio.sleep(0.1)
    return False


async def until_asked(story: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run, and clean up when asked to stop."""
    task = asyncio.create_task(story)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--broker", default="embedded", choices=("embedded", "kafka"))
    parser.add_argument("--proxy", action="store_true", help="cut the network by a proxy, not by a namespace")
    given = parser.parse_args()
    say(f"seed {given.seed}")
    options = {name: getattr(given, name) for name in ("kills", "seed", "documents", "broker", "proxy")}
    with tempfile.TemporaryDirectory() as spare:
        folder = (given.folder or Path(spare)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        outcome = asyncio.run(until_asked(run(folder, **options)))
    for name, found in (("lost", outcome.lost), ("doubled", outcome.doubled), ("wrong", outcome.wrong)):
        for one in found[:20]:
            say(f"{name}: {one}")
    print(outcome)
    sys.exit(0 if outcome.well else 1)


if __name__ == "__main__":
    main()
