"""The news of a faulted world: two outlets whose feeds grow item by item, and what each item must lead to.

A story satisfies the watch and is told. A second outlet that reports it later makes an update of that alert. A report
of a change, which satisfies no watch, makes an update of the change's alert. Every headline says a number.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

OUTLETS = ("Gazette", "Courier")
WATCH = "tidemark"
FIRST_STORY = 100_000
SHOWN = 40  # of an outlet's items in its feed
SYLLABLES = re.findall(
    r"\w+", "bal cor dun fel gar hob jin kel lum mor nap pol quen rud sil tov urn ves wod zim"
)

Fact = tuple[str, int]
"""What readers are to be told: `change`, `story`, `second` or `report`, and its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A news item and the fact that it must lead to."""

    fact: Fact
    outlet: str
    title: str
    summary: str
    published_at: datetime


class Press:
    """What was published so far. An item comes out only once what it follows was told everywhere."""

    def __init__(self, chance: random.Random) -> None:
        self.items: list[Item] = []
        self._chance = chance

    @property
    def facts(self) -> list[Fact]:
        """What readers are to be told of the news."""
        return [item.fact for item in self.items]

    def next(
        self, changes: Iterable[int], is_told: Callable[[Fact], bool], service: Callable[[int], str]
    ) -> None:
        """Publish one item more: a report of one of these changes, a second telling of a story, or a new story."""
        known = set(self.facts)
        reports = [number for number in changes if ("report", number) not in known]
        seconds = [
            n for kind, n in known if kind == "story" and ("second", n) not in known and is_told((kind, n))
        ]
        choices: list[Callable[[], Item]] = [lambda: story(FIRST_STORY + len(self.items))]
        if reports:
            choices.append(lambda: report(self._chance.choice(reports), service))
        if seconds:
            choices.append(lambda: story(self._chance.choice(sorted(seconds)), again=True))
        self.items.append(self._chance.choice(choices)())

    def feed(self, outlet: str, root: str) -> str:
        """Return an outlet's feed as RSS, newest first."""
        mine = [item for item in self.items if item.outlet == outlet][-SHOWN:]
        written = "".join(_written(item, root) for item in reversed(mine))
        return (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>{outlet}</title>'
            f"<link>{root}</link><description>News</description>{written}</channel></rss>"
        )


def story(number: int, *, again: bool = False) -> Item:
    """Return a story that shares no word with another one, or its telling by the second outlet."""
    chance = random.Random(number)
    names = [_name(chance) for _ in range(6)]
    title = f"{' '.join(names)} {number}"
    return Item(
        fact=("second" if again else "story", number),
        outlet=OUTLETS[again],
        title=f"{title} too" if again else title,
        summary=f"{names[0]} and {names[1]} met {names[2]}: {WATCH}.",
        published_at=datetime.now(UTC),
    )


def report(number: int, service: Callable[[int], str]) -> Item:
    """Return an item that reports the change with a number: what it names, only that change has brought."""
    name, hall = service(number), place(number)
    return Item(
        fact=("report", number),
        outlet=OUTLETS[0],
        title=f"{name} names {hall}, No{number}",
        summary=f"The terms of {name} now speak of {hall}.",
        published_at=datetime.now(UTC),
    )


def place(number: int) -> str:
    """Return the name of a place that only one change speaks of."""
    chance = random.Random(f"place {number}")
    return " ".join(_name(chance) for _ in range(4))


def _name(chance: random.Random) -> str:
    return "".join(chance.choice(SYLLABLES) for _ in range(3)).capitalize()


def _written(item: Item, root: str) -> str:
    kind, number = item.fact
    return (
        f"<item><title>{escape(item.title)}</title><link>{root}/{kind}/{number}</link>"
        f"<description>{escape(item.summary)}</description>"
        f"<pubDate>{item.published_at:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
    )
