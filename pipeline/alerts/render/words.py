"""The words that every channel says the same way: where, what, how grave, since when, how many more."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from pipeline.alerts.render.counts import QUIET, VERBS, more, total
from pipeline.alerts.render.facts import facts, tell
from pipeline.alerts.render.letters import clean, count, heading, is_web, one_line, sentence
from pipeline.alerts.render.times import day, days, effective, in_force, instant, is_ahead
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Change,
    Coverage,
    Origin,
    Severity,
    Value,
)

__all__ = [
    "QUIET",
    "RANK",
    "VERBS",
    "Line",
    "Links",
    "account",
    "because",
    "brief",
    "by_importance",
    "clean",
    "count",
    "coverage",
    "coverage_of",
    "day",
    "days",
    "effective",
    "facts",
    "in_force",
    "instant",
    "is_ahead",
    "is_web",
    "lead",
    "more",
    "notice",
    "one_line",
    "place",
    "sentence",
    "subject",
    "tell",
    "total",
    "update_title",
    "verb",
    "watches",
    "when",
]

RANK = {severity: severity.rank for severity in Severity}


class Links(Value, frozen=True, kw_only=True):
    """Where a reader can go from a message; an empty one is not shown. The page is the document's own URL.

    `actions` is the subscription that buttons of Slack act for, empty where nobody takes what they send. `members`
    are those of a gathered message's alerts, by alert id.
    """

    evidence: str = ""
    redline: str = ""
    deliveries: str = ""
    home: str = ""
    actions: str = ""
    members: dict[str, Links] = {}

    def of(self, alert_id: str) -> Links:
        """Return where a reader can go from what is told of one alert of a gathered message."""
        return replace(self.members.get(alert_id, Links()), actions=self.actions)


class Line(Value, frozen=True, kw_only=True):
    """A fact told in one line: its name and its words."""

    label: str
    text: str


def subject(alert: AlertRaised) -> str:
    """Return what an alert is about, the same for every message of its thread."""
    if alert.document:
        return one_line(f"{alert.document.service} — {alert.document.name}", 140)
    return one_line(alert.title or alert.service or "Alert", 140)


def lead(alert: AlertRaised) -> str:
    """Return the one sentence that says what happened."""
    return one_line(alert.title or alert.summary, 250)


def account(alert: AlertRaised) -> str:
    """Return what there is to say beyond the lead, in a few sentences; empty where that is nothing."""
    told = one_line(alert.summary, 700)
    return "" if told in {lead(alert), subject(alert)} else told


def notice(alert: AlertRaised) -> str:
    """Return the line that a notification shows: about what, how grave, what happened, from when."""
    grave = "" if alert.kind == "story" else f" ({alert.severity})"
    told = account(alert) if lead(alert) == subject(alert) else lead(alert)
    force = f". {in_force(alert)}" if in_force(alert) else ""
    return f"{subject(alert)}{grave}: {told}{force}" if told else f"{subject(alert)}{grave}{force}"


def by_importance(changes: Iterable[Change]) -> list[Change]:
    """Return changes gravest first, among equals by score; those without new words come last."""
    return sorted(changes, key=lambda change: (change.type in QUIET, -RANK[change.severity], -change.score))


def place(change: Change) -> str:
    """Return where a change is: its number and the innermost two headings above it."""
    path = " › ".join(heading(one, 90) for one in change.heading_path[-2:] if one.strip())
    number = one_line(change.number, 20)
    if number and path and not change.heading_path[-1].strip().startswith(number):
        return f"{path} › {number}"
    return path or number or "Text before the first heading"


def verb(change: Change) -> str:
    """Return how a change's clause differs, in one or two words."""
    return VERBS[change.type]


def when(alert: AlertRaised) -> list[Line]:
    """Return the lines on time and certainty: in force, first seen, how sure."""
    label = "In force" if is_ahead(alert) else "Dated"
    lines = [Line(label=label, text=effective(alert))] if effective(alert) else []
    lines.append(Line(label="First seen", text=instant(alert.raised_at)))
    if alert.matches:
        lines.append(Line(label="Watch", text=one_line(watches(alert), 200)))
    if previous := alert.evidence and alert.evidence.old:
        lines.append(Line(label="Compared with", text=f"the page of {instant(previous.fetched_at)}"))
    if alert.kind == "change" and not alert.confirmed:
        lines.append(
            Line(label="Certainty", text="seen in one read so far; a second read will confirm or withdraw it")
        )
    if alert.stacked:
        lines.append(Line(label="Note", text="the page shows the coming and the current text together"))
    if alert.replayed or alert.origin is Origin.IMPORT:
        lines.append(Line(label="From the archive", text="this is about the past; it was not watched live"))
    return lines


def brief(alert: AlertRaised) -> list[str]:
    """Return the same as `when` in few words, but when it was seen; the first, on its date, may be empty."""
    dated = f"Dated {effective(alert).partition(',')[0]}" if effective(alert) else ""
    notes = (
        (f"watch {one_line(watches(alert), 120)}", bool(alert.matches)),
        ("not confirmed by a second read yet", alert.kind == "change" and not alert.confirmed),
        ("coming and current text on one page", alert.stacked),
        ("from the archive, about the past", alert.replayed or alert.origin is Origin.IMPORT),
    )
    return [in_force(alert) or dated, *(note for note, holds in notes if holds)]


def watches(alert: AlertRaised) -> str:
    """Return the watches that an alert met, each once."""
    return ", ".join(dict.fromkeys(match.watch or match.watch_id for match in alert.matches))


def coverage(item: Coverage) -> str:
    """Return who reports a story: outlet and date, and how many others."""
    parts = [one_line(item.outlet, 60)]
    if item.published_at:
        parts.append(day(item.published_at))
    if item.more_outlets:
        parts.append(f"and {item.more_outlets} more {'outlet' if item.more_outlets == 1 else 'outlets'}")
    return ", ".join(part for part in parts if part)


def update_title(update: AlertUpdated | AlertWithdrawn) -> str:
    """Return what an update says, in a few words."""
    if isinstance(update, AlertWithdrawn):
        return f"Withdrawn on {instant(update.withdrawn_at)}"
    told = {
        "confirmed": f"Confirmed by a second read on {instant(update.updated_at)}",
        "in-force": f"In force since {day(update.updated_at)}",
        "coverage": "Reported in the news",
    }
    return told.get(update.how, f"Updated on {instant(update.updated_at)}")


def because(update: AlertUpdated | AlertWithdrawn) -> str:
    """Return why an update came, empty where its stories say it better."""
    return "" if isinstance(update, AlertUpdated) and update.coverage else update.reason


def coverage_of(alert: AlertRaised, updates: Iterable[AlertUpdated] = ()) -> list[Coverage]:
    """Return the stories on an alert, those of its updates included, each once, in the order they came."""
    items = [*alert.coverage, *(item for update in updates for item in update.coverage)]
    return list({(item.story_id, item.url): item for item in items}.values())
