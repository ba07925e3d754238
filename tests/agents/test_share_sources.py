"""Pollers publish what they read of their own sources, and nothing of another's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from agents.share_sources import OwnSources
from pipeline.errors import StoreError
from pipeline.events import FeedFetched, FeedSpec, FetchOutcome, SourceDeclared
from tests.fakes import ListLog

READ = FeedFetched(
    feed=FeedSpec(id="news", name="News", url="https://news.example.org/rss"),
    fetched_at=datetime(2024, 10, 17, tzinfo=UTC),
    outcome=FetchOutcome.OK,
)


class Held:
    """The sources of this process."""

    def __init__(self, *keys: str) -> None:
        self._keys = keys

    def items(self) -> Iterable[tuple[str, SourceDeclared]]:
        return ()

    def holds(self, key: str) -> bool:
        return key in self._keys


async def test_own_source_is_told() -> None:
    """What was read of a source that is ours is published."""
    log = ListLog()
    await OwnSources(log=log, known=Held("news"), is_counted_on=lambda: True).publish(READ)
    assert log.published == [READ]


@pytest.mark.parametrize(
    ("held", "counted_on"), [(Held(), True), (Held("news"), False)], ids=["handed-over", "paused-too-long"]
)
async def test_old_reading_is_dropped(held: Held, counted_on: bool) -> None:
    """A reading that another poller may have overtaken is not published after the other's."""
    log = ListLog()
    with pytest.raises(StoreError):
        await OwnSources(log=log, known=held, is_counted_on=lambda: counted_on).publish(READ)
    assert log.published == []
