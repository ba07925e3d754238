"""The autumn of 2024 at X, as its coverage and its policies told it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.events import ClausesChanged, Entry, StoryUpdated, derived_id
from pipeline.news.names import Names, ServiceName, mentions

DATA = Path(__file__).parents[1] / "data" / "news"
NAMES = Path(__file__).parents[2] / "deploy" / "names.yaml"


class Item(msgspec.Struct, frozen=True):
    """A piece of real coverage, the story it tells, and what it reports."""

    story: str
    expected: frozenset[str]
    entry: Entry


def item(row: dict[str, Any]) -> Item:
    """Return a row of the collection as an entry of a feed."""
    entry = Entry(
        id=derived_id("entry", row["url"]),
        feed_id="news",
        outlet=row["outlet"],
        title=row["title"],
        url=row["url"],
        summary=row["excerpt"],
        published_at=datetime.fromisoformat(row["published"]).replace(tzinfo=UTC),
    )
    return Item(row["story"], frozenset(link["document"] for link in row["expected_link"] or ()), entry)


@pytest.fixture(scope="session")
def items() -> list[Item]:
    lines = (DATA / "x_october_2024.jsonl").read_text(encoding="utf-8").splitlines()
    return [item(msgspec.json.decode(line)) for line in lines]


@pytest.fixture(scope="session")
def changes() -> dict[str, ClausesChanged]:
    """Return the two changes of X of 17 October 2024, by document."""
    lines = (DATA / "x_october_2024_changes.jsonl").read_bytes().splitlines()
    events = [msgspec.json.decode(line, type=ClausesChanged) for line in lines]
    return {f"X {event.document.name}": event for event in events}


@pytest.fixture(scope="session")
def services() -> list[ServiceName]:
    known = Names.load(NAMES.read_text(encoding="utf-8"))
    return [known.service(name) for name in ("X", "Reddit", "LinkedIn", "Bluesky")]


@pytest.fixture(scope="session")
def reported(services: list[ServiceName]) -> Any:
    """Return what makes a story of entries, as the first of them was told."""

    def story(*entries: Entry) -> StoryUpdated:
        named = {name for entry in entries for name in mentions(f"{entry.title}\n{entry.summary}", services)}
        return StoryUpdated(
            story_id=derived_id("story", entries[0].url),
            entries=entries,
            updated_at=entries[-1].published_at or datetime(2024, 10, 17, tzinfo=UTC),
            services=tuple(sorted(named)),
        )

    return story
