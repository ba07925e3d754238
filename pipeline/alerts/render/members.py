"""The members of a gathered message by their alerts, in the order of a reader.

A member tells an alert, an update or a withdrawal. Members of one alert are told together: an alert with what
became known of it meanwhile is one entry, and one that was withdrawn stands among the withdrawn only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from pipeline.alerts.render import words
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, DeliveryDue, Value

STORY, HEALTH = "In the news", "Sources in trouble"


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
        """The services that it is about, in the order of the entries, each as its documents spell it."""
        entries = (*self.told, *self.known, *self.withdrawn)
        spelled = {
            service(one).casefold(): service(one) for one in entries if one.alert and one.alert.document
        }
        named = (service(one) for one in entries)
        return tuple(dict.fromkeys(spelled.get(one.casefold(), one) for one in named if one))

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


def changes(entries: Iterable[Told]) -> list[Told]:
    """Return the alerts that tell a change of a document."""
    return [entry for entry in entries if entry.alert.kind not in {"story", "health"}]


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


def _by_gravity(entry: Told) -> tuple[int, int, float]:
    worst = max((change.score for change in entry.alert.changes), default=0.0)
    return _kind(entry.alert), -entry.alert.severity.rank, -worst


def _by_service(entry: Told) -> tuple[int, int, str, float]:
    kind, grave, worst = _by_gravity(entry)
    return kind, 0 if kind else grave, service(entry).casefold(), worst


def _kind(alert: AlertRaised) -> int:
    return {"story": 1, "health": 2}.get(alert.kind, 0)
