"""Which stories report which changes: linked when enough ties the two together, else not.

A link is decided for each entry alone and told for its story. Only changes of a service that the story names
come into question, from 60 days before the change was seen (announced early) to 45 days after it, or 15 after
it came into force.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from pipeline.events import ClausesChanged, Coverage, Entry, StoryUpdated
from pipeline.news.evidence import Case, Telling, phrases, strongest, telling
from pipeline.news.names import service_id
from pipeline.news.novelty import ChangeNovelty, novelty
from pipeline.news.telling import whole_day

EARLY = timedelta(days=60)
LATE = timedelta(days=45)
AFTER_FORCE = timedelta(days=15)
WORDING = 1.6  # the least weight of evidence from the wording itself
ENOUGH = 2.6  # the least weight of all evidence, when the entry speaks of a policy
ENOUGH_UNNAMED = 3.9  # and when it does not, half as much again
SHOWN = 5  # pieces of evidence told to a reader
CHANGES = 40  # of one service kept open
STORIES = 100


class Ledger(Struct, frozen=True, kw_only=True):
    """What a service's changes and stories were lately, so that either finds the other when it comes."""

    changes: tuple[ChangeNovelty, ...] = ()
    stories: tuple[Told, ...] = ()


class Told(Struct, frozen=True, kw_only=True):
    """A story as last heard, and the event by which it was first heard."""

    story_id: str
    first_event: str
    entries: tuple[Entry, ...]


class Link(Struct, frozen=True):
    """An entry that reports a change, with what speaks for it."""

    telling: Telling
    case: Case

    @property
    def entry(self) -> Entry:
        return self.telling.entry


def link(change: ClausesChanged, story: StoryUpdated) -> Coverage | None:
    """Return how a story covers a change, None when it does not: too little ties them together."""
    if service_id(change.document.service) not in story.services:
        return None
    return covered(novelty(change), story.story_id, story.entries)


def add_change(ledger: Ledger, event: ClausesChanged) -> tuple[Ledger, list[Coverage]]:
    """Return the ledger with a change in it, and the stories that were told of it before it was seen.

    The same event again gives the same coverage and leaves the ledger as it is.
    """
    change = novelty(event)
    found = [covered(change, told.story_id, told.entries) for told in ledger.stories]
    coverage = [held for held in found if held is not None]
    if any(held.id == change.id for held in ledger.changes):
        return ledger, coverage
    return pruned(replace(ledger, changes=(*ledger.changes, change)), event.at), coverage


def add_story(ledger: Ledger, event: StoryUpdated) -> tuple[Ledger, list[tuple[ChangeNovelty, Coverage]]]:
    """Return the ledger with a story in it, and the changes that it covers.

    A story that gained an entry tells again of the changes that this entry reports, with one more outlet, and
    of no other change. The same event again gives the same coverage and leaves the ledger as it is.
    """
    known = next((told for told in ledger.stories if told.story_id == event.story_id), None)
    first = event.id if known is None else known.first_event
    news = event.entries if event.id == first else event.entries[-1:]
    found = [(change, coverage) for change in ledger.changes if (coverage := gained(change, event, news))]
    if known and set(known.entries) >= set(event.entries):
        return ledger, found
    others = tuple(told for told in ledger.stories if told is not known)
    told = Told(story_id=event.story_id, first_event=first, entries=event.entries)
    return pruned(replace(ledger, stories=(*others, told)), newest(told) or event.at), found


def gained(change: ChangeNovelty, event: StoryUpdated, news: tuple[Entry, ...]) -> Coverage | None:
    """Return how a story covers a change, if one of its new entries does."""
    if not any(decided(telling(entry), change) for entry in news):
        return None
    return covered(change, event.story_id, event.entries)


def covered(change: ChangeNovelty, story_id: str, entries: tuple[Entry, ...]) -> Coverage | None:
    """Return the coverage of a change by a story: its best entry, and how many other outlets report it."""
    told = map(telling, entries)
    links = [Link(entry, held) for entry in told if (held := decided(entry, change))]
    if not links:
        return None
    best = max(links, key=lambda held: (held.case.score, held.entry.id))
    return Coverage(
        story_id=story_id,
        title=best.entry.title,
        outlet=best.entry.outlet,
        url=best.entry.url,
        published_at=best.entry.published_at,
        clause=best.case.clause.heading,
        shared=evidence_shown(best),
        score=round(best.case.score, 2),
        more_outlets=len({held.entry.outlet for held in links} - {best.entry.outlet}),
    )


def decided(entry: Telling, change: ChangeNovelty) -> Case | None:
    """Return what ties an entry to a change when it is enough to say so, else None."""
    if not is_timely(entry.told_at, change):
        return None
    held = strongest(entry, change)
    if held is None or held.hard < WORDING:
        return None
    return held if held.score >= (ENOUGH if entry.policy else ENOUGH_UNNAMED) else None


def is_timely(told_at: datetime | None, change: ChangeNovelty) -> bool:
    """Say whether an entry was told in the time in which a change is news; one without a date is."""
    if told_at is None:
        return True
    end = change.seen_at + LATE
    in_force = whole_day(change.effective_date)
    if in_force:
        end = max(end, datetime(in_force.year, in_force.month, in_force.day, tzinfo=UTC) + AFTER_FORCE)
    return change.seen_at - EARLY <= told_at <= end


def evidence_shown(link: Link) -> tuple[str, ...]:
    """Return the evidence in words: what is quoted and named, and what else is said alike, none of it twice."""
    named = [piece.told for piece in link.case.evidence if piece.told and piece.weight > 0]
    said = [f"says “{phrase}”" for phrase in phrases(link.telling, link.case.clause)]
    shown: list[str] = []
    for told in (*named, *said):
        bare = told.removeprefix("says ").strip("“”").casefold()
        if not any(bare in other.casefold() for other in shown):
            shown.append(told)
    return tuple(shown[:SHOWN])


def pruned(ledger: Ledger, now: datetime) -> Ledger:
    """Return the ledger without what is too old to meet anything new, and within its bounds."""
    changes = [held for held in ledger.changes if is_timely(now, held) or held.seen_at > now]
    oldest = now - EARLY - LATE
    stories = [held for held in ledger.stories if (newest(held) or now) >= oldest]
    return Ledger(changes=tuple(changes[-CHANGES:]), stories=tuple(stories[-STORIES:]))


def newest(told: Told) -> datetime | None:
    """Return when the last entry of a story was told, None when none has a time."""
    return max((at for entry in told.entries if (at := entry.published_at or entry.seen_at)), default=None)
