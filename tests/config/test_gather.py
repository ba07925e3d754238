"""How a route gathers its alerts: groups and digests, and what is wrong with either."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import config
from pipeline.config.loading import parse
from pipeline.events import Gather, Severity
from tests.fakes import NOON


def route(block: str) -> Gather | None:
    text = f"routes: [{{name: Desk, to: {{console: stdout}}, gather: {block}}}]"
    settings = parse(text.encode(), Path("/etc/cw/clausewire.yaml"), {})
    return settings.subscriptions(NOON)[0].gather


@pytest.mark.parametrize(
    ("block", "gather"),
    [
        ("{by: service}", Gather(how="group")),
        (
            "{by: all, wait: 0s, interval: 1d, urgent: high}",
            Gather(how="group", by="all", wait_s=0.0, interval_s=86_400.0, urgent=Severity.HIGH),
        ),
        ("{digest: daily}", Gather(how="daily")),
        (
            '{digest: daily, at: "08:30", zone: Europe/Berlin}',
            Gather(how="daily", at=510, zone="Europe/Berlin"),
        ),
        ("{digest: daily, at: 18:30}", Gather(how="daily", at=1110)),
        (
            "{digest: weekly, day: fri, at: 07:00, urgent: critical}",
            Gather(how="weekly", day=4, at=420, urgent=Severity.CRITICAL),
        ),
    ],
)
def test_block_is_read(block: str, gather: Gather) -> None:
    """Groups and digests are what the file says; what it leaves out is as Alertmanager has it."""
    assert route(block) == gather


def test_nothing_is_gathered_by_default() -> None:
    """A route without the block is told at once."""
    assert (
        parse(b"routes: [{name: Desk, to: {console: stdout}}]", Path("c.yaml"), {}).routes[0].gather is None
    )


@pytest.mark.parametrize(
    ("block", "key", "fact", "remedy"),
    [
        ("{urgent: high}", "gather", "gathers nothing", "{by: service}"),
        ("{}", "gather", "gathers nothing", "digest: daily"),
        ("daily", "gather", "table of keys", "digest"),
        ("{by: company}", "gather.by", "none of service, all", "service"),
        ("{by: service, wait: soon}", "gather.wait", "not a length of time", "90s"),
        ("{digest: monthly}", "gather.digest", "none of daily, weekly", "daily"),
        ("{at: 08:00}", "gather", '"digest" is missing', "digest: daily"),
        ("{digest: daily, wait: 30s}", "gather.wait", 'no "wait"', "leave out digest"),
        ("{digest: daily, day: mon}", "gather.day", "no day", "weekly"),
        ("{digest: weekly, day: monday}", "gather.day", "none of mon", "mon"),
        ("{digest: daily, at: noon}", "gather.at", "no time of a day", "08:30"),
        ("{digest: daily, at: 24:00}", "gather.at", "next day", "00:00"),
        ("{digest: daily, at: [8, 0]}", "gather.at", "text is expected", "Write one text"),
        ("{digest: daily, zone: Mars/Olympus}", "gather.zone", "no time zone", "Europe/Berlin"),
        ("{digest: daily, urgent: grave}", "gather.urgent", "none of info", "known"),
        ("{digests: daily}", "gather.digests", "unknown key", "digest"),
    ],
)
def test_bad_block_is_told(block: str, key: str, fact: str, remedy: str) -> None:
    """What is wrong is told with its file, line and key, and with what to write instead."""
    with pytest.raises(config.ConfigErrors) as caught:
        route(block)
    said = str(caught.value)
    assert all(words in said for words in ("clausewire.yaml", f"routes[0].{key}", fact))
    assert any(remedy.casefold() in error.remedy.casefold() for error in caught.value.errors)
