"""The index of alerts keeps up with Apache Kafka as it does with the embedded log."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

import pytest

from agents.told import telling
from pipeline.adapters.history import open_history
from pipeline.adapters.lookup import Wanted
from pipeline.adapters.vault import new_key
from pipeline.config import Settings
from pipeline.config.loading import parse
from pipeline.events import AlertUpdated, Event
from tests.api.test_lists import alert, attempt, named
from tests.fakes import NOON, FixedClock

ALL = Wanted(limit=200, newest=False)


@pytest.fixture
def deployment(kafka: str, tmp_path: Path) -> Settings:
    """A deployment with topics of its own on the session's broker."""
    text = f"broker: kafka://{kafka}\nkafka: {{prefix: 't{token_hex(4)}.', partitions: 2}}\n"
    return parse(text.encode(), tmp_path / "clausewire.yaml", {"CLAUSEWIRE_SECRET_KEY": new_key()})


def wrote(deployment: Settings, *events: Event) -> None:
    with open_history(deployment, create=True) as history:
        history.append(events)


@pytest.mark.kafka
async def test_index_keeps_up_with_kafka(deployment: Settings) -> None:
    """Alerts and attempts are found as soon as they lie in the topics, whichever partition they are in."""
    wrote(deployment, *(alert(number) for number in range(7)), attempt(3), attempt(4, "legal", "refused"))
    async with telling(deployment, FixedClock()) as told:
        first = [line.alert_id for _, line in await told.alerts(ALL)]
        wrote(deployment, alert(7))
        later = [line.alert_id for _, line in await told.alerts(ALL)]
        refused = await told.attempts(Wanted(limit=9, newest=True, only={"outcome": "refused"}))
    assert (first, later) == (named(*range(7)), named(*range(8)))
    assert [event.alert_id for _, event in refused] == named(4)


@pytest.mark.kafka
async def test_one_alert_is_read_from_its_place(deployment: Settings) -> None:
    """An alert and what became known of it are read from where they lie, also after a restart."""
    update = AlertUpdated(alert_id="alt-0002", updated_at=NOON, how="confirmed", cause_id="c")
    wrote(deployment, *(alert(number) for number in range(5)), update)
    for _ in range(2):
        async with telling(deployment, FixedClock()) as told:
            found, sequels = await told.alert("alt-0002"), await told.sequels("alt-0002")
            assert (found, sequels, await told.alert("alt-x")) == (alert(2), [update], None)


@pytest.mark.kafka
async def test_topics_may_come_later(deployment: Settings) -> None:
    """A process that starts before there are topics finds nothing, and what comes once there are."""
    async with telling(deployment, FixedClock()) as told:
        assert await told.alerts(ALL) == []
        wrote(deployment, alert(1))
        assert len(await told.alerts(ALL)) == 1
