"""One trace from the fetch to the delivery, in the headers of every record between, over restarts too."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import structlog

from agents.commands.running import set_up_logs
from pipeline import trace
from pipeline.adapters.history import open_history
from pipeline.errors import DeliveryError
from pipeline.events import DeliveryDue
from pipeline.ports import Kept
from pipeline.topics import TOPICS
from tests.adapters.hooks import client, receiving
from tests.adapters.test_webhook import notifier
from tests.alerts.samples import due
from tests.fakes import FixedClock, Mailbox, Taken
from tests.flow.line import a_clause_is_added, line, page

FOREIGN = trace.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@dataclass
class TracedMailbox(Mailbox):
    """A mailbox that keeps the trace in which each message came."""

    traces: list[str] = field(default_factory=list)

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Taken:
        known = trace.current()
        self.traces.append(known.trace_id if known else "")
        return await super().send(due, parent=parent)


def mailbox(*failures: DeliveryError) -> TracedMailbox:
    return TracedMailbox(failures=list(failures))


def records(folder: Path) -> list[Kept]:
    """Return every record on our topics."""
    with open_history(f"embedded://{folder}/log.db") as history:
        return [record for topic in TOPICS for record in history.records(topic.name)]


def trace_ids(kept: list[Kept], topic: str) -> set[str]:
    """Return the traces that a topic's records belong to."""
    found = [trace.parse(record.headers["traceparent"].decode()) for record in kept if record.topic == topic]
    return {one.trace_id for one in found if one}


async def test_one_trace_from_page_to_message(tmp_path: Path) -> None:
    """The message belongs to the trace of the page that brought the change, as do the records between."""
    box = mailbox()
    async with line(tmp_path, box) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(a_clause_is_added(), day=1)
        await run.sent(1)
        await run.settled()
    kept = records(tmp_path)
    pages = trace_ids(kept, "pages.fetched")
    assert len(pages) == 4
    for topic in ("versions.recorded", "clauses.changed", "alerts.raised", "outbox", "deliveries"):
        assert trace_ids(kept, topic) <= pages
    assert set(box.traces) <= pages


async def test_every_record_has_a_trace(tmp_path: Path) -> None:
    """No record of ours is without a valid traceparent."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.settled()
    kept = records(tmp_path)
    assert kept
    assert all(trace.parse(record.headers["traceparent"].decode()) for record in kept)


async def test_incoming_trace_is_taken_over(tmp_path: Path) -> None:
    """A page that came within somebody else's trace is told within it, state and all."""
    box = mailbox()
    async with line(tmp_path, box) as run:
        await run.confirmed(page(), day=0)
        with trace.within(replace(FOREIGN, state="congo=t61")):
            await run.confirmed(a_clause_is_added(), day=1)
        await run.sent(1)
        await run.settled()
    raised = [record for record in records(tmp_path) if record.topic == "alerts.raised"]
    assert box.traces[0] == FOREIGN.trace_id
    assert raised[0].headers["tracestate"] == b"congo=t61"


@pytest.mark.parametrize("parent", [b"", b"\xff\xfe", b"00-0-0-0"])
async def test_foreign_header_stops_nothing(tmp_path: Path, parent: bytes) -> None:
    """A traceparent that is none begins a new trace, and the record is handled."""
    box = mailbox()
    async with line(tmp_path, box) as run:
        await run.confirmed(page(), day=0)
        topic = run.program.topic("pages.fetched")
        await (await topic.send(key=b"k", value=b"no event", headers={"traceparent": parent}))
        await run.confirmed(a_clause_is_added(), day=1)
        await run.sent(1)
    assert box.traces[0]


async def test_trace_outlives_restart(tmp_path: Path) -> None:
    """A delivery that failed before a restart is made after it within the same trace."""
    box, clock = mailbox(DeliveryError("busy", status=503)), FixedClock()
    async with line(tmp_path, box, clock) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(a_clause_is_added(), day=1)
        await run.until(lambda: bool(box.traces))
        await run.settled()
    clock.moment = clock.moment.replace(year=2025)
    async with line(tmp_path, box, clock) as run:
        await run.sent(1)
    assert len(box.traces) > 1
    assert box.traces[0] == box.traces[1] != ""


async def test_webhook_carries_trace() -> None:
    """A post tells its receiver the trace; it is not signed over and changes nothing else."""
    async with receiving() as receiver, client() as web:
        with trace.within(FOREIGN):
            await notifier(web, receiver.url()).send(due(), parent=None)
        await notifier(web, receiver.url()).send(due(), parent=None)
    (_, traced, _), (_, untraced, _) = receiver.got
    assert traced["traceparent"] == FOREIGN.parent
    assert "traceparent" not in untraced


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What we log, one JSON object per line."""
    before, heard = structlog.get_config(), io.StringIO()
    set_up_logs("json", verbose=True)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=heard))
    yield heard
    structlog.configure(**before)


async def test_log_lines_are_bound(tmp_path: Path, logged: io.StringIO) -> None:
    """A line about a record bears its stage, place, key, id and trace; one about a delivery its trace."""
    async with line(tmp_path) as run:
        topic = run.program.topic("pages.fetched")
        sent = {"ce_id": b"pag-of-theirs", "traceparent": FOREIGN.parent.encode()}
        await (await topic.send(key=b"theirs", value=b"no event", headers=sent))
        await run.until(lambda: "stage.rejected" in logged.getvalue())
    rows = [json.loads(row) for row in logged.getvalue().splitlines()]
    (row,) = [row for row in rows if row["event"] == "stage.rejected"]
    bound = {name: row[name] for name in ("stage", "topic", "offset", "key", "event_id", "trace_id")}
    assert bound == {
        "stage": "extract_versions",
        "topic": "pages.fetched",
        "offset": 0,
        "key": "theirs",
        "event_id": "pag-of-theirs",
        "trace_id": FOREIGN.trace_id,
    }
