"""What a process shows of itself: it tells the truth while it starts, recovers, loses its broker, hangs or crashes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.app import wire
from agents.declare import Declared
from agents.lookout import Lookout, health
from agents.program import Program
from agents.rounds import Sources
from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.start import Kafka
from pipeline.config import KafkaSettings
from pipeline.events import DocumentSpec
from pipeline.polling import Health, PollState
from tests.adapters.test_scrapes import get
from tests.fakes import FixedClock
from tests.flow import line as states
from tests.flow.line import Line, page

QUICK: dict[str, float] = {"look_s": 0.05, "patience_s": 0.3, "stuck_s": 0.5}


async def asked(lookout: Lookout, path: str) -> tuple[int, Any]:
    """Return status and JSON of a path, asked from another thread as a probe would."""
    status, body = await asyncio.to_thread(get, f"{lookout.url}/health/{path}")
    return status, json.loads(body)


async def until(lookout: Lookout, path: str, holds: Callable[[int, Any], bool]) -> Any:
    """Ask until an answer holds, and return it; TimeoutError when none does within ten seconds."""
    async with asyncio.timeout(10):
        while not holds(*(found := await asked(lookout, path))):
            await asyncio.sleep(0.05)
    return found[1]


async def series(lookout: Lookout, begins: str) -> dict[str, float]:
    """Return the series whose names begin so, with their labels as they are written."""
    _, body = await asyncio.to_thread(get, f"{lookout.url}/metrics")
    pairs = (row.rpartition(" ") for row in body.decode().splitlines() if row.startswith(begins))
    return {name: float(value) for name, _, value in pairs}


class WatchedLine(Line):
    """A line whose program is watched."""

    def __init__(self, folder: Path, lookout: Lookout) -> None:
        super().__init__(folder)
        url = f"embedded://{folder}/log.db"
        self.program = Program("clausewire", url, data=folder, clock=self.clock, **lookout.eyes)
        wire(self.program, self._world())
        lookout.watch(self.program)


async def test_no_port_no_server() -> None:
    """Unless a port is asked for nothing listens and nothing runs."""
    before = asyncio.all_tasks()
    async with Lookout() as lookout:
        assert (lookout.url, asyncio.all_tasks()) == ("", before)


async def test_not_ready_before_start(tmp_path: Path) -> None:
    """Before its program has started a process lives and is not ready, and says why."""
    async with Lookout(0) as lookout:
        line = WatchedLine(tmp_path, lookout)
        assert await asked(lookout, "ready") == (503, {"ready": False, "reasons": {"clausewire": "starting"}})
        assert await asked(lookout, "live") == (200, {"live": True})
        async with line.program:
            assert await until(lookout, "ready", lambda status, _: status == 200) == {"ready": True}
        status, told = await asked(lookout, "ready")
        assert (status, told["reasons"]) == (503, {"clausewire": "stopping"})


async def test_probe_of_a_start_makes_no_recovery(tmp_path: Path) -> None:
    """Health that is asked for from another thread, however early in a start, meets the one recovery that there is."""
    async with Lookout(0) as lookout:
        program = WatchedLine(tmp_path, lookout).program
        starts, found = program.app.on_first_start, []

        async def probed() -> None:
            found.append(program.app.tables._recovery)  # as it is: to ask for it would make it
            await asked(lookout, "ready")
            await starts()

        program.app.on_first_start = probed
        async with program:
            assert found == [program.app.tables.recovery]


async def test_look_at_a_program_that_waits_for_its_broker(tmp_path: Path) -> None:
    """Before its tables on the disk are open a program has none to count, and it is looked at on and on."""
    pytest.importorskip("rocksdict", reason="the extra rocksdb is not installed")
    kafka = Kafka(Connection(servers=("127.0.0.1:1",)), KafkaSettings(store="rocksdb"))
    async with Lookout(0, look_s=0.02) as lookout:
        program = Program("waiting", "kafka://127.0.0.1:1", data=tmp_path, clock=FixedClock(), kafka=kafka)
        program.memory("polls", "sources", PollState)
        lookout.watch(program)
        await asyncio.sleep(0.1)
        assert [task for task in lookout._tasks if task.done()] == []


async def test_recovery_is_not_ready(tmp_path: Path) -> None:
    """While partitions are handed out or tables read back a process is not ready."""
    async with Lookout(0, **QUICK) as lookout:
        line = WatchedLine(tmp_path, lookout)
        async with line.program:
            await until(lookout, "ready", lambda status, _: status == 200)
            line.program.app.rebalancing = True
            assert (await asked(lookout, "ready"))[1]["reasons"] == {"clausewire": "rebalancing"}
            line.program.app.rebalancing = False
            recovered: asyncio.Event = line.program.app.tables.recovery.completed  # type: ignore[attr-defined]
            recovered.clear()
            assert (await asked(lookout, "ready"))[1]["reasons"] == {"clausewire": "recovering"}
            recovered.set()
            assert (await asked(lookout, "ready"))[0] == 200


async def test_recovery_is_timed(tmp_path: Path) -> None:
    """How long a process did no work after its start is told in seconds."""
    async with Lookout(0, **QUICK) as lookout, WatchedLine(tmp_path, lookout).program:
        await until(lookout, "ready", lambda status, _: status == 200)
        await asyncio.sleep(0.5)
        found = await series(lookout, "clausewire_recover")
    assert found['clausewire_recoveries_total{group="clausewire"}'] == 1.0
    assert 0 < found['clausewire_recovery_seconds{group="clausewire"}'] < 30


async def test_silent_broker_is_not_ready(tmp_path: Path) -> None:
    """A broker that does not answer makes a process unready, and ready again when it does; it lives all the while."""
    async with Lookout(0, **QUICK) as lookout:
        line = WatchedLine(tmp_path, lookout)
        async with line.program:
            await until(lookout, "ready", lambda status, _: status == 200)
            answers, back = line.program.app.consumer.highwaters, asyncio.Event()

            async def silent(*partitions: Any) -> Any:
                await back.wait()
                return await answers(*partitions)

            line.program.app.consumer.highwaters = silent  # type: ignore[method-assign]
            told = await until(lookout, "ready", lambda status, _: status == 503)
            assert told["reasons"] == {"clausewire": "the broker does not answer"}
            assert (await asked(lookout, "live"))[0] == 200
            assert await series(lookout, "clausewire_ready") == {"clausewire_ready": 0.0}
            back.set()
            await until(lookout, "ready", lambda status, _: status == 200)


async def test_failing_broker_is_not_ready(tmp_path: Path) -> None:
    """A broker that answers with errors counts as one that does not answer."""
    async with Lookout(0, **QUICK) as lookout:
        line = WatchedLine(tmp_path, lookout)
        async with line.program:
            await until(lookout, "ready", lambda status, _: status == 200)

            async def refuses(*partitions: Any) -> Any:
                raise ConnectionRefusedError("no broker here")

            line.program.app.consumer.highwaters = refuses  # type: ignore[method-assign]
            await until(lookout, "ready", lambda status, told: status == 503 and "broker" in str(told))


async def test_full_log_is_not_ready(tmp_path: Path) -> None:
    """A log that takes no writes makes a process unready until one goes through."""
    async with Lookout(0, **QUICK) as lookout:
        line = WatchedLine(tmp_path, lookout)
        async with line.program:
            await until(lookout, "ready", lambda status, _: status == 200)
            line.program.log.takes_writes = False
            assert (await asked(lookout, "ready"))[1]["reasons"] == {"clausewire": "the log takes no writes"}
            await line.read(page(), day=0)
            assert (await asked(lookout, "ready"))[0] == 200


async def test_hanging_loop_is_not_live() -> None:
    """A process whose event loop hangs says so, from another thread, for as long as it hangs."""
    async with Lookout(0, **QUICK) as lookout:
        seen = threading.Event()

        def probe() -> None:
            while get(f"{lookout.url}/health/live")[0] != 503:
                time.sleep(0.05)
            seen.set()

        threading.Thread(target=probe, daemon=True).start()
        assert seen.wait(20)  # this is the hang: the loop stands still until the probe has noticed
        assert (await until(lookout, "live", lambda status, _: status == 200)) == {"live": True}


async def test_crash_is_not_live(tmp_path: Path) -> None:
    """A program that met an error of ours is neither ready nor alive."""
    async with Lookout(0) as lookout:
        line = WatchedLine(tmp_path, lookout)

        async def broken() -> None:
            raise ZeroDivisionError

        line.program.beside(broken)
        async with line.program:
            told = await until(lookout, "live", lambda status, _: status == 503)
            assert told == {"live": False, "reason": "clausewire crashed"}
            assert (await asked(lookout, "ready"))[0] == 503


async def test_line_is_measured(tmp_path: Path) -> None:
    """A change that goes through the line shows in every stage, in alerts, in deliveries and in tables."""
    async with Lookout(0, **QUICK) as lookout:
        line = WatchedLine(tmp_path, lookout)
        async with line.program:
            await line.confirmed(page(), day=0)
            await line.confirmed(states.a_clause_is_added(), day=1)
            await line.sent(1)
            await line.until(lambda: bool(line.mailbox.sent))
            await asyncio.sleep(1.5)
            found = await series(lookout, "clausewire_")
    assert found['clausewire_events_total{outcome="done",stage="extract_versions"}'] == 4.0
    assert found['clausewire_deliveries_total{channel="webhook",outcome="sent"}'] >= 1.0
    assert sum(value for name, value in found.items() if 'told="raised"' in name) >= 1.0
    assert found['clausewire_table_entries{group="clausewire",table="documents"}'] == 1.0
    assert found['clausewire_consumer_lag_records{group="clausewire",topic="pages.fetched"}'] == 0.0


async def test_lag_is_what_lies_unread(tmp_path: Path) -> None:
    """Records that a stage cannot be through with count as lag of their topic."""
    async with Lookout(0, **QUICK) as lookout:
        line = WatchedLine(tmp_path, lookout)
        async with line.program:
            for stage in line.program.stages:
                stage.is_ours = lambda record: False  # leaves every record to another owner
            await line.confirmed(page(), day=0)
            name = 'clausewire_consumer_lag_records{group="clausewire",topic="pages.fetched"}'
            async with asyncio.timeout(10):
                while (await series(lookout, name)).get(name) != 2.0:
                    await asyncio.sleep(0.05)


def test_health_of_sources_is_counted() -> None:
    """Sources count by health; one that was withdrawn counts no more."""
    specs = [DocumentSpec(id=name, service="S", name=name, url="https://example.org/") for name in "abc"]
    documents = Sources(specs)
    for name, state in zip("abc", (Health.OK, Health.BLOCKED, Health.OK), strict=True):
        documents.note(PollState(source_id=name, health=state))
    documents.withdraw("c")
    assert health(Declared(documents, Sources())) == {("document", "ok"): 1, ("document", "blocked"): 1}


@pytest.fixture(autouse=True)
def quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Let what is logged stay out of the way."""
