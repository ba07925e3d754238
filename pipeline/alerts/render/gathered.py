"""The words of a gathered message that every channel says the same way: what happened, how grave, how many more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.alerts.render import words
from pipeline.alerts.render.members import (
    Entry,
    Gathered,
    Told,
    changes,
    gathered,
    section,
    sections,
    service,
)
from pipeline.alerts.render.words import count
from pipeline.events import Coverage, Severity, Value

__all__ = [
    "KNOWN",
    "WIDE",
    "WITHDRAWN",
    "Entry",
    "Gathered",
    "Room",
    "Told",
    "also",
    "became",
    "beyond",
    "changes",
    "command",
    "coverage",
    "gathered",
    "grades",
    "has_contents",
    "headline",
    "is_report",
    "leading",
    "listed",
    "more",
    "more_news",
    "name",
    "notice",
    "overview",
    "section",
    "sections",
    "seen",
    "sentence",
    "service",
    "state",
    "subject",
]

STATES = 3  # updates told of one alert, the latest
LISTED_FROM = 3  # alerts, from which on they are listed before they are told
NAMES = 3  # services named in a headline
PERIODS = {"daily": "Daily digest", "weekly": "Weekly digest"}
KNOWN, WITHDRAWN = "What became known", "Withdrawn"


class Room(Value, frozen=True, kw_only=True):
    """How much is told: how many alerts in full and by name, and of each the characters of its clause, and facts."""

    clause: int
    facts: int
    full: int
    listed: int


WIDE = Room(clause=1_000, facts=2, full=20, listed=100)


def leading(message: Gathered) -> str:
    """Return the id of the gravest alert that is told, or of the first that is told more of."""
    return next((entry.alert_id for entry in (*message.told, *message.known, *message.withdrawn)), "")


def name(entry: Entry, message: Gathered) -> str:
    """Return what an entry is about; without the service where all of the message is about one."""
    alert = entry.alert
    if alert is None:
        return f"Alert {entry.alert_id}"
    if alert.document and len(message.services) == 1:
        return words.one_line(alert.document.name, 140) or words.subject(alert)
    return words.subject(alert)


def sentence(entry: Told, message: Gathered, room: int = 250) -> str:
    """Return what happened in one sentence, where the name of the entry does not say it already."""
    lead = words.lead(entry.alert)
    named = lead in {name(entry, message), words.subject(entry.alert)}
    return words.one_line(words.account(entry.alert) if named else lead, room)


def beyond(entry: Told, message: Gathered) -> str:
    """Return what there is to say beyond the sentence of an alert that no clause speaks for; empty for others."""
    said = "" if entry.alert.changes else words.account(entry.alert)
    return "" if said == sentence(entry, message, 700) else said


def headline(message: Gathered) -> str:
    """Return what a message is about in one line: "X: 3 documents changed", "Daily digest: 7 changes, 2 high"."""
    if message.is_digest:
        return f"{PERIODS.get(message.period, 'Digest')}: {', '.join(_digested(message))}"
    about = listed(message.services)
    told = ", ".join(_happened(message))
    return f"{about}: {told}" if about else f"{told[:1].upper()}{told[1:]}"


def subject(message: Gathered) -> str:
    """Return the subject of a mail: "Clausewire daily: 7 changes, 2 high — X, Meta, GitHub"."""
    if not message.is_digest:
        return words.one_line(headline(message), 140)
    about = listed(message.services, joined=False)
    told = f"Clausewire {message.period or 'digest'}: {', '.join(_digested(message))}"
    return words.one_line(f"{told} — {about}" if about else told, 140)


def notice(message: Gathered) -> str:
    """Return the line that a notification shows: what happened, how grave, and the gravest of it in a sentence."""
    graded = "" if message.is_digest else grades(changes(message.told))
    first = next(iter(message.told), None)
    said = words.lead(first.alert) if first else next(map(became, (*message.known, *message.withdrawn)), "")
    return " ".join(
        part for part in (f"{headline(message)}{f' ({graded})' if graded else ''}.", said) if part
    )


def grades(told: Sequence[Told]) -> str:
    """Return how many changes are how grave, gravest first: "1 critical, 2 medium"."""
    found = Counter(entry.alert.severity for entry in told)
    return ", ".join(f"{found[one]:,} {one}" for one in sorted(found, key=_rank, reverse=True))


def became(entry: Entry) -> str:
    """Return what became of an earlier alert in a sentence: what it is about, and what is known now."""
    about = words.subject(entry.alert) if entry.alert else f"Alert {entry.alert_id}"
    return f"{about}: {'; '.join(state(entry))}"


def state(entry: Entry) -> list[str]:
    """Return what became of an alert since it was raised, the latest last, in a few words each with its reason."""
    said = [_because(words.update_title(update), words.because(update)) for update in entry.updates]
    gone = entry.withdrawal
    return [*said[-STATES:], *([_because(words.update_title(gone), gone.reason)] if gone else [])]


def coverage(entry: Entry) -> list[Coverage]:
    """Return the stories that report an alert; of an earlier alert only those that are news."""
    known = entry.alert.coverage if entry.alert and entry.told else ()
    stories = (*known, *(story for update in entry.updates for story in update.coverage))
    return list({(story.story_id, story.url): story for story in stories}.values())


def overview(message: Gathered) -> str:
    """Return how grave the changes are and when they were seen, in a line; empty where no alert is told."""
    told = changes(message.told)
    said = message.is_digest and all(entry.alert.severity.rank >= Severity.HIGH.rank for entry in told)
    graded = f"{grades(told)}. " if len(told) > 1 and not said else ""
    return f"{graded}First seen {seen(message)}." if message.told else ""


def has_contents(message: Gathered, room: Room) -> bool:
    """Say whether what there is should be listed first: it is more than a screen, or more than there is room for."""
    return len(message.told) > min(LISTED_FROM, room.full)


def is_report(entry: Entry) -> bool:
    """Say whether an entry is itself what outlets report, and its first report needs no name of its own."""
    return entry.told and entry.alert is not None and entry.alert.kind == "story"


def also(entry: Told) -> str:
    """Return what an alert tells beside its gravest change: "25 more changes: 22 reworded, 3 removed"."""
    return words.more(entry.alert, words.by_importance(entry.alert.changes)[:1])


def more(left: Sequence[Told]) -> str:
    """Return what is not shown of the alerts, exactly: "5 more: 1 high, 3 low, 1 story"; empty when all is."""
    if not left:
        return ""
    kinds = Counter(entry.alert.kind for entry in left)
    parts = [grades(changes(left)), *_others(kinds)]
    return f"{len(left):,} more: {', '.join(part for part in parts if part)}"


def more_news(left: Sequence[Entry]) -> str:
    """Return how many entries of the other sections are not shown; empty when all are."""
    return f"{len(left):,} more" if left else ""


def command(message: Gathered) -> str:
    """Return the command by which a reader sees what is not shown, where no link leads there."""
    return f"clausewire deliveries show {message.delivery_id}"


def seen(message: Gathered) -> str:
    """Return when what is told was first seen: "17 October 2024", "14 to 20 October 2024"."""
    times = [entry.alert.raised_at for entry in message.told]
    return words.days(min(times), max(times)) if times else ""


def listed(names: Sequence[str], *, joined: bool = True) -> str:
    """Return names in one line, the first three of many: "X and Meta", "X, Meta, GitHub and 4 more"."""
    left = len(names) - NAMES
    if left > 0:
        return f"{', '.join(names[:NAMES])} and {left:,} more"
    if joined and len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return ", ".join(names)


def _rank(severity: Severity) -> int:
    return severity.rank


def _digested(message: Gathered) -> list[str]:
    """Return what a digest holds: how many changes, the grave ones among them, and what else."""
    told = changes(message.told)
    grave = [entry for entry in told if entry.alert.severity.rank >= Severity.HIGH.rank]
    said = [count(len(told), "change"), grades(grave)] if told else []
    if len(told) == len(grave) == 1:
        said = [f"{grades(grave)} change"]
    return [*filter(None, said), *_besides(message)] or ["nothing new"]


def _happened(message: Gathered) -> list[str]:
    """Return what a group tells: how many documents changed, and what else."""
    told = changes(message.told)
    documents = len({entry.alert.thread for entry in told})
    many = len(told) > documents
    changed = (
        f"{count(len(told), 'change')} in {count(documents, 'document')}"
        if many
        else f"{count(documents, 'document')} changed"
    )
    return [*([changed] if told else []), *_besides(message)] or ["nothing new"]


def _besides(message: Gathered) -> list[str]:
    kinds = Counter(entry.alert.kind for entry in message.told)
    known, gone = len(message.known), len(message.withdrawn)
    return [
        *_others(kinds),
        *([f"news of {count(known, 'earlier alert')}"] if known else []),
        *([f"{gone:,} withdrawn"] if gone else []),
    ]


def _others(kinds: Counter[str]) -> list[str]:
    stories, trouble = kinds["story"], kinds["health"]
    said = [count(stories, "story", "stories")] if stories else []
    return [*said, count(trouble, "source in trouble", "sources in trouble")] if trouble else said


def _because(title: str, reason: str) -> str:
    reason = words.one_line(reason, 160)
    return f"{title}: {reason}" if reason else title
