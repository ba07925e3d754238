"""History run again on either broker: killed and gone on with, by one process or several, it comes out the same."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.commands.workforce import code, run_alone
from agents.plan import GROUP, PAGES, Plan, Wanted
from agents.replay import clear, compared, planned
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.wire import decode
from pipeline.errors import ClaimLostError
from pipeline.events import DocumentSpec, FetchOutcome, Origin, PageFetched
from pipeline.topics import SHADOWED
from tests.adapters.log_broker import KINDS
from tests.fakes import NOON
from tests.flow.deployed import Deployment, deployed
from tests.flow.line import CLAUSES, page

DOCUMENTS, VERSIONS = 8, 12
LONG_S = 60.0
pytestmark = pytest.mark.timeout(300)  # processes start, are killed and waited for


@pytest.fixture(params=KINDS)
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """Eight documents of twelve versions each, read one after the other, on the broker at hand."""
    with deployed(request, tmp_path) as made:
        with made.open() as history:
            history.append(asyncio.run(pages(made.blobs)))
        yield made


async def pages(blobs: FolderBlobs) -> list[PageFetched]:
    """Return the reads of every document, in the order of their times."""
    found = []
    for number in range(VERSIONS):
        for document in range(DOCUMENTS):
            body = page((*CLAUSES, *((f"Part {n}", f"We may do thing {n} to you.") for n in range(number))))
            found.append(await read(blobs, document, body, NOON + timedelta(days=number)))
    return found


async def read(blobs: FolderBlobs, document: int, body: bytes, at: datetime) -> PageFetched:
    spec = DocumentSpec(
        id=f"example/terms-{document}", service="Example", name=f"Terms {document}", url="https://example.org"
    )
    return PageFetched(
        document=spec,
        fetched_at=at,
        outcome=FetchOutcome.OK,
        status=200,
        headers={"content-type": "text/html"},
        body=await blobs.put(body, media_type="text/html"),
        origin=Origin.IMPORT,
    )


def shadows(log: Any, wanted: Wanted) -> dict[str, Counter[str]]:
    """Return the ids that stand in each shadow topic, and how often."""
    return {
        name: Counter(decode(record.value).id for record in log.records(wanted.prefix + name))
        for name in SHADOWED
    }


def begun(deployment: Deployment) -> Plan:
    with deployment.open() as log:
        return planned(log, Wanted(), code=code())


def undisturbed(deployment: Deployment) -> dict[str, Counter[str]]:
    """Return what a replay finds that nobody disturbs, and clear it away."""
    deployment.command("replay", "--topic", PAGES)
    with deployment.open() as log:
        found = shadows(log, Wanted())
        clear(log, Wanted().prefix, Wanted().group)
    return found


def test_killed_replay_goes_on(deployment: Deployment) -> None:
    """Killed in the middle and run again, a replay has found what an undisturbed one finds, each thing once."""
    expected = undisturbed(deployment)
    plan = begun(deployment)
    victim = deployment.process("replay", "--topic", PAGES)
    with deployment.open() as log:
        done = wait_for_progress(log, plan)
        time.sleep(random.random() / 10)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert 0 < done < plan.total
    deployment.command("replay", "--topic", PAGES)
    with deployment.open() as log:
        assert shadows(log, plan.wanted) == expected


def wait_for_progress(log: Any, plan: Plan) -> int:
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        if done := plan.done(log.committed(plan.wanted.group, PAGES)):
            return done
        time.sleep(0.01)
    raise TimeoutError("the replay did not begin")


async def test_two_find_what_one_finds(deployment: Deployment) -> None:
    """Two workers share the partitions, and find each thing once."""
    expected = await asyncio.to_thread(undisturbed, deployment)
    plan = await asyncio.to_thread(begun, deployment)
    async with asyncio.timeout(LONG_S):
        await asyncio.gather(*(run_alone(deployment.settings, plan) for _ in range(2)))
    with deployment.open() as log:
        assert shadows(log, plan.wanted) == expected


def test_processes_share_a_replay(deployment: Deployment) -> None:
    """A replay by two processes tells what a replay by one tells."""
    alone = deployment.command("replay", "--topic", PAGES)
    beside = deployment.command("replay", "--topic", PAGES, "--anew", "--workers", "2")
    assert told(beside) == told(alone)


def told(output: str) -> list[str]:
    """Return the lines of a replay without those that say how far it is."""
    return [line for line in output.splitlines() if " left" not in line]


def test_shadow_topics_are_dropped(deployment: Deployment) -> None:
    """One command lists and deletes what replays left, and the group with it; history stays."""
    deployment.command("replay", "--topic", PAGES)
    name = Wanted().name
    listed = deployment.command("topics", "drop-shadow", status=0)
    assert f"deleted  shadow.{name}.alerts.raised\n" in listed
    assert f"deleted  group {GROUP}{name}\n" in listed
    with deployment.open() as log:
        assert log.committed(Wanted().group, PAGES) == {}
        assert [topic for topic, count in log.topics().items() if count] == [PAGES]


async def test_replay_at_work_is_not_dropped(deployment: Deployment) -> None:
    """What a process is at work on is neither dropped nor begun anew."""
    plan = await asyncio.to_thread(begun, deployment)
    running = asyncio.create_task(run_alone(deployment.settings, plan))
    with deployment.open() as log:
        await asyncio.to_thread(wait_for_progress, log, plan)
        with pytest.raises(ClaimLostError):
            await asyncio.to_thread(clear, log, plan.wanted.prefix, plan.wanted.group)
    running.cancel()
    await asyncio.wait([running])


def test_grown_history_is_run_anew(deployment: Deployment) -> None:
    """A replay that is through is told again; once history has grown it is begun anew, with what came."""
    deployment.command("replay", "--topic", PAGES)
    again = deployment.command("replay", "--topic", PAGES)
    with deployment.open() as log:
        event = asyncio.run(read(deployment.blobs, 0, page(CLAUSES), NOON + timedelta(days=99)))
        log.append([event])
    grown = deployment.command("replay", "--topic", PAGES)
    assert "96 pages, 88 alerts" in again
    assert "97 pages, 89 alerts" in grown


def test_foreign_code_is_not_gone_on_with(deployment: Deployment) -> None:
    """What other code began is begun anew: half of a replay by each would be neither's."""
    plan = begun(deployment)
    with deployment.open() as log:
        assert planned(log, Wanted(), code="another") != plan
        assert planned(log, Wanted(), code="another").code == "another"
        assert compared(log, plan, decode).pages == 0
