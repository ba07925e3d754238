"""A program that is killed while alerts wait for each other tells each of them once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.events import DeliveryDue, DeliveryGathered, Event, ReminderSet
from tests.flow.gathering import changed

ROOT = Path(__file__).parents[2]
CONFIG = """
broker: embedded://{folder}/log.db
data: {folder}/data
routes: [{{name: Desk, to: {{console: told.txt}}, gather: {{by: service, wait: 3s, interval: 5s}}}}]
"""


@contextmanager
def program(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real command; at the end of the block it is killed."""
    command = [sys.executable, "-m", "agents", "run", "--config", str(folder / "clausewire.yaml")]
    with (folder / "run.log").open("ab") as log:
        running = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        try:
            yield running
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait()


def events(folder: Path, topic: str) -> list[Event]:
    with open_history(f"embedded://{folder}/log.db", create=True) as history:
        return [decode(record.value) for record in history.records(topic)]


def put(folder: Path, *numbers: int) -> None:
    now = datetime.now(UTC)
    with open_history(f"embedded://{folder}/log.db", create=True) as history:
        history.append([replace(changed(number), raised_at=now) for number in numbers])


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait until something holds; AssertionError when it does not in time."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


def is_waited_for(folder: Path, number: int) -> bool:
    waiting = {
        event.due.delivery_id for event in events(folder, "gatherings") if isinstance(event, DeliveryGathered)
    }
    bells = [event for event in events(folder, "reminders") if isinstance(event, ReminderSet)]
    return len(waiting) == number and bool(bells)


def test_killed_while_alerts_wait(tmp_path: Path) -> None:
    """Alerts that waited at the kill, and one that came before the next start, are each told once."""
    (tmp_path / "clausewire.yaml").write_text(CONFIG.format(folder=tmp_path))
    with program(tmp_path):
        put(tmp_path, 1, 2)
        until(lambda: is_waited_for(tmp_path, 2))
    put(tmp_path, 3)
    told = tmp_path / "told.txt"
    with program(tmp_path):
        until(lambda: told.exists() and "Change 3" in told.read_text())
        time.sleep(1.0)
    assert [told.read_text().count(f"alt-Example-{number}") for number in (1, 2, 3)] == [1, 1, 1]
    messages = {event.id: event for event in events(tmp_path, "outbox") if isinstance(event, DeliveryDue)}
    assert sum(max(len(one.members), 1) for one in messages.values()) == 3
