"""How alerts are to be told together, as a command or a request asks for it, and what is wrong with that."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from agents.cadence import GatherBody, gather_of, written
from agents.subscribe import ChangedSubscription, UnusableError, changed
from pipeline.events import Gather, Severity
from tests.alerts.samples import SEEN, subscription

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("asked", "gather"),
    [
        ({"digest": "daily"}, Gather(how="daily")),
        (
            {"digest": "weekly", "day": "fri", "at": "07:30", "zone": BERLIN, "urgent": "high"},
            Gather(how="weekly", day=4, at=450, zone=BERLIN, urgent=Severity.HIGH),
        ),
        ({"by": "service"}, Gather(how="group")),
        ({"by": "all", "wait": "0s", "interval": "1d"}, Gather(how="group", by="all", wait_s=0, interval_s=86_400)),
    ],
)  # fmt: skip
def test_request_is_read(asked: dict[str, Any], gather: Gather) -> None:
    """A request asks for what a route of the configuration can."""
    assert gather_of(msgspec.convert(asked, GatherBody)) == gather


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({}, "gather"),
        ({"urgent": "high"}, "gather"),
        ({"digest": "daily", "day": "mon"}, "gather.day"),
        ({"digest": "daily", "wait": "30s"}, "gather.wait"),
        ({"digest": "daily", "at": "24:00"}, "gather"),
        ({"digest": "daily", "at": "soon"}, "gather"),
        ({"digest": "daily", "zone": "Mars/Olympus"}, "gather"),
        ({"by": "service", "at": "08:00"}, "gather.at"),
        ({"by": "service", "wait": "soon"}, "gather.wait"),
        ({"by": "service", "interval": "9999d"}, "gather.interval"),
    ],
)
def test_bad_request_is_told(asked: dict[str, Any], key: str) -> None:
    """What cannot be is told with its key and with what to write instead."""
    with pytest.raises(UnusableError) as caught:
        gather_of(msgspec.convert(asked, GatherBody))
    assert caught.value.key == key
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("digest", "group", "gather"),
    [
        ("daily", "", Gather(how="daily", zone=BERLIN)),
        ("daily 18:30", "", Gather(how="daily", at=1110, zone=BERLIN)),
        ("weekly", "", Gather(how="weekly", zone=BERLIN)),
        ("weekly sun", "", Gather(how="weekly", day=6, zone=BERLIN)),
        ("weekly 06:00", "", Gather(how="weekly", at=360, zone=BERLIN)),
        ("weekly sun 06:00", "", Gather(how="weekly", day=6, at=360, zone=BERLIN)),
        ("", "service", Gather(how="group")),
        ("", "all 10s", Gather(how="group", by="all", wait_s=10)),
        ("", "service 1m 1d", Gather(how="group", wait_s=60, interval_s=86_400)),
    ],
)
def test_option_is_read(digest: str, group: str, gather: Gather) -> None:
    """An option of the command line says it in a few words."""
    found = written(digest, group, zone=BERLIN, urgent=None)
    assert isinstance(found, GatherBody)
    assert gather_of(found) == gather


@pytest.mark.parametrize(
    ("digest", "group"),
    [
        ("monthly", ""), ("daily mon 08:00", ""), ("weekly mon 08:00 please", ""), (" ", ""),
        ("", "company"), ("", "service 1s 2s 3s"), ("daily", "service"),
    ],
)  # fmt: skip
def test_bad_option_is_told(digest: str, group: str) -> None:
    """Other words are told with those that there are."""
    with pytest.raises(UnusableError) as caught:
        gather_of(written(digest, group, zone="UTC", urgent=None) or None)
    assert caught.value.remedy


def test_nothing_said_changes_nothing() -> None:
    """Without either option a subscription stays as it is; told to, it gathers no longer."""
    assert written("", "", zone="UTC", urgent=None) is UNSET
    assert written("never", "", zone="UTC", urgent=None) is None


@pytest.mark.parametrize(
    ("wanted", "gather"), [(UNSET, Gather(how="daily")), (None, None), (GatherBody(by="all"), Gather(how="group", by="all"))]
)  # fmt: skip
def test_subscription_changes_its_mind(wanted: Any, gather: Gather | None) -> None:
    """A subscription may begin to gather, gather otherwise, or end it."""
    known = msgspec.structs.replace(subscription(), gather=Gather(how="daily"), by="api")
    after = changed(known, ChangedSubscription(gather=wanted), at=SEEN, seal=str)
    assert after.gather == gather
