"""What a gathered message is about: its members by alert, by what is told of each, and in the order of a reader.

A member tells an alert, an update or a withdrawal. Members of one alert are told together: an alert with what
became known of it meanwhile is one entry, and one that was withdrawn stands among the withdrawn only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from pipeline.alerts.render import words
from pipeline.alerts.render.words import count
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Coverage,
    DeliveryDue,
    Severity,
    Value,
)

STATES = 3  # updates told of one alert, the latest
NAMES = 3  # services named in a headline
PERIODS = {"daily": "Daily digest", "weekly": "Weekly digest"}
STORY, HEALTH = "In the news", "Sources in trouble"
KNOWN, WITHDRAWN = "What became known", "Withdrawn"


class Entry(Value, frozen=True, kw_only=True):
    """One alert of a gathered message: `told` where it is told here itself, and what became known of it."""

    alert_id: str
    alert: AlertRaised | None = None
    told: bool = False
    updates: tuple[AlertUpdated, ...] = ()
    withdrawal: AlertWithdrawn | None = None


class Told(Entry, frozen=True, kw_only=True):
    """An entry whose alert is told here."""

    alert: AlertRaised


class Gathered(Value, frozen=True, kw_only=True):
    """A gathered message: the alerts it tells in their order, news of earlier ones, and those withdrawn."""

    delivery_id: str
    how: str
    period: str
    told: tuple[Told, ...]
    known: tuple[Entry, ...]
    withdrawn: tuple[Entry, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it is about, as a reader calls them, in the order of the entries."""
        return tuple(dict.fromkeys(filter(None, map(service, (*self.told, *self.known, *self.withdrawn)))))

    @property
    def is_digest(self) -> bool:
        """Say whether it tells of a day or a week, and not of one group."""
        return self.how == "digest"


def gathered(due: DeliveryDue) -> Gathered:
    """Return what a gathered delivery tells: a group gravest first, a digest by severity and then by service."""
    entries = _entries(due.members)
    rank = _by_service if due.gathered == "digest" else _by_gravity
    told = [_told(entry) for entry in entries if entry.told and not entry.withdrawal]
    return Gathered(
        delivery_id=due.delivery_id,
        how=due.gathered,
        period=due.period,
        told=tuple(sorted(told, key=rank)),
        known=tuple(entry for entry in entries if not entry.told and not entry.withdrawal),
        withdrawn=tuple(entry for entry in entries if entry.withdrawal),
    )


def leading(message: Gathered) -> str:
    """Return the id of the gravest alert that is told, or of the first that is told more of."""
    return next((entry.alert_id for entry in (*message.told, *message.known, *message.withdrawn)), "")


def section(entry: Told) -> str:
    """Return the heading that an alert stands under in a digest: how grave a change is, or what else it is."""
    kinds = {"story": STORY, "health": HEALTH}
    return kinds.get(entry.alert.kind, str(entry.alert.severity).capitalize())


def sections(entries: Sequence[Told]) -> list[tuple[str, list[Told]]]:
    """Return alerts under their headings, in their order."""
    found: dict[str, list[Told]] = {}
    for entry in entries:
        found.setdefault(section(entry), []).append(entry)
    return list(found.items())


def service(entry: Entry) -> str:
    """Return the service that an entry is about, empty where it is none."""
    alert = entry.alert
    if alert is None:
        return ""
    return words.one_line(alert.document.service if alert.document else alert.service, 60)


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


def changes(entries: Iterable[Told]) -> list[Told]:
    """Return the alerts that tell a change of a document."""
    return [entry for entry in entries if entry.alert.kind not in {"story", "health"}]


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


def _entries(members: Iterable[DeliveryDue]) -> list[Entry]:
    """Return members by their alerts, in the order they came."""
    found: dict[str, Entry] = {}
    for member in members:
        told = member.withdrawal or member.update or member.alert
        if told is not None:
            entry = found.get(told.alert_id) or Entry(alert_id=told.alert_id)
            found[told.alert_id] = _with(entry, member)
    return list(found.values())


def _with(entry: Entry, member: DeliveryDue) -> Entry:
    """Return an entry with a member's part taken in; the alert as the last member has it is its present state."""
    alone = member.update is None and member.withdrawal is None
    updates = (member.update,) if member.update and member.update not in entry.updates else ()
    return replace(
        entry,
        alert=member.alert or entry.alert,
        told=entry.told or alone,
        updates=(*entry.updates, *updates),
        withdrawal=member.withdrawal or entry.withdrawal,
    )


def _told(entry: Entry) -> Told:
    assert entry.alert is not None, "an alert is told with itself"
    return Told(alert_id=entry.alert_id, alert=entry.alert, told=True, updates=entry.updates)


def _rank(severity: Severity) -> int:
    return severity.rank


def _by_gravity(entry: Told) -> tuple[int, int, float]:
    worst = max((change.score for change in entry.alert.changes), default=0.0)
    return _kind(entry.alert), -entry.alert.severity.rank, -worst


def _by_service(entry: Told) -> tuple[int, int, str, float]:
    kind, grave, worst = _by_gravity(entry)
    return kind, 0 if kind else grave, service(entry).casefold(), worst


def _kind(alert: AlertRaised) -> int:
    return {"story": 1, "health": 2}.get(alert.kind, 0)


def _digested(message: Gathered) -> list[str]:
    """Return what a digest holds: how many changes, the grave ones among them, and what else."""
    told = changes(message.told)
    grave = [entry for entry in told if entry.alert.severity.rank >= Severity.HIGH.rank]
    said = [count(len(told), "change"), grades(grave)] if told else []
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
