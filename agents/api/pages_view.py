"""A dossier as what its pages show: every change under its section, by importance; its state; both pages, each quote.

Pure: values in, values out. Every text is clean; templates escape it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.api.pages_facts import WAYS, FactRow, rows
from agents.dossier import NEW, OLD, Dossier
from pipeline.alerts.render import words
from pipeline.alerts.render.letters import clean, is_web, one_line
from pipeline.alerts.render.redline import spans_of
from pipeline.alerts.render.times import effective, instant, is_ahead
from pipeline.events import (
    AlertUpdated,
    AlertWithdrawn,
    Change,
    ChangeType,
    Clause,
    Coverage,
    Origin,
    Value,
    Version,
)
from pipeline.policy.tally import LEVELS as GRAVITY
from pipeline.policy.taxonomy import taxonomy

ASIDE = ("differs at level", "linked", "leads")  # reasons that are no points of a severity
BEGINNING = "Before the first heading"

Clauses = Mapping[int, Clause]  # of a version, by where they begin


class State(Value, frozen=True, kw_only=True):
    """What an alert amounts to now: a word for it, a sentence, and how it is to look."""

    name: str  # withdrawn | in-force | confirmed | unconfirmed
    title: str
    text: str = ""


class Step(Value, frozen=True, kw_only=True):
    """One thing that happened, with its time."""

    when: str
    what: str


class Target(Value, frozen=True, kw_only=True):
    """A link inside a clause whose target changed."""

    text: str
    old: str
    new: str


class ChangeView(Value, frozen=True, kw_only=True):
    """One change as it is shown; `number` is its rank among all changes."""

    number: int
    path: tuple[str, ...]
    place: str
    verb: str
    type: str
    severity: str
    quiet: bool
    printed: str
    lead: str
    spans: tuple[tuple[str, str], ...]
    whole: bool
    categories: tuple[tuple[str, int], ...]
    moved_from: str
    targets: tuple[Target, ...]
    facts: tuple[FactRow, ...]
    points: tuple[str, ...]
    notes: tuple[str, ...]
    clause_id: str
    at: dict[str, tuple[int, int]]


class SectionView(Value, frozen=True, kw_only=True):
    """The changes under one chain of headings, gravest first."""

    anchor: str
    path: tuple[str, ...]
    changes: tuple[ChangeView, ...]

    @property
    def name(self) -> str:
        return self.path[-1] if self.path else BEGINNING

    @property
    def gravest(self) -> str:
        return self.changes[0].severity


def common(found: Dossier) -> dict[str, Any]:
    """Return what both pages say of an alert."""
    alert = found.alert
    page = alert.document.url if alert.document else ""
    return {
        "alert_id": clean(alert.alert_id),
        "subject": words.subject(alert),
        "severity": "" if alert.kind == "story" else str(alert.severity),
        "lead": words.lead(alert),
        "summary": words.account(alert),
        "page": page if is_web(page) else "",
        "state": state(found),
        "steps": tuple(steps(found)),
        "imported": alert.origin is Origin.IMPORT,
    }


def redline(found: Dossier) -> dict[str, Any]:
    """Return what the page of the full redline shows."""
    changes = numbered(found)
    worded = [change for change in changes if not change.quiet]
    quiet = [change for change in changes if change.quiet]
    return {
        **common(found),
        "sections": sections(worded, "s"),
        "quiet": sections(quiet, "q"),
        "counts": _counts(found.changes),
        "worded": len(worded),
        "still": len(quiet),
        "missing": found.missing,
        "facts": _facts(changes),
        "when": _when(found),
        "news": [_story(item) for item in words.coverage_of(found.alert, found.updates)],
        "gravity": ", ".join(f"{level.value} from {floor:g}" for floor, level in GRAVITY),
        "stacked": found.alert.stacked,
    }


def _facts(changes: Sequence[ChangeView]) -> list[FactRow]:
    """Return the facts of changes, those first that are worse for the reader."""
    stated = [fact for change in changes for fact in change.facts]
    return sorted(stated, key=lambda fact: tuple(WAYS.values()).index(fact.way))


def _story(item: Coverage) -> dict[str, Any]:
    return {
        "title": one_line(item.title, 200),
        "url": item.url if is_web(item.url) else "",
        "by": words.coverage(item),
        "clause": one_line(item.clause, 160),
        "shared": [one_line(word, 60) for word in item.shared[:8]],
    }


def state(found: Dossier) -> State:
    """Return what an alert amounts to now."""
    alert, last = found.alert, {update.how: update for update in found.updates}
    if found.withdrawal:
        title = words.update_title(found.withdrawal)
        return State(name="withdrawn", title=title, text=one_line(found.withdrawal.reason, 400))
    if "in-force" in last:
        told = f"{words.update_title(last['confirmed'])}." if "confirmed" in last else ""
        return State(name="in-force", title=words.update_title(last["in-force"]), text=told)
    if "healed" in last:
        return State(name="confirmed", title="Healed", text=one_line(last["healed"].reason, 400))
    if "confirmed" in last:
        ahead = f"It comes into force on {effective(alert)}." if is_ahead(alert) else ""
        return State(name="confirmed", title=words.update_title(last["confirmed"]), text=ahead)
    if alert.kind != "change":
        return State(name="confirmed", title="")
    if not alert.confirmed:
        told = "It was seen in one read so far; a second read will confirm or withdraw it."
        return State(name="unconfirmed", title="Not confirmed yet", text=told)
    imported = alert.origin is Origin.IMPORT
    how = "The archive that it comes from holds it." if imported else "A second read said the same."
    return State(name="confirmed", title="Confirmed", text=how)


def steps(found: Dossier) -> Iterator[Step]:
    """Yield what happened, in the order of time."""
    alert = found.alert
    old = alert.evidence.old if alert.evidence else None
    if old:
        yield Step(when=instant(old.fetched_at), what="The page before was read")
    yield Step(
        when=instant(alert.raised_at), what="The change was seen" if alert.kind == "change" else "It was seen"
    )
    settled = [update for update in found.updates if update.how != "coverage"]
    for update in sorted(settled, key=lambda update: update.updated_at):
        yield Step(when=instant(update.updated_at), what=_happened(update))
    if found.withdrawal:
        yield Step(when=instant(found.withdrawal.withdrawn_at), what="Withdrawn: the change did not stand")
    for answer in found.acknowledgements:
        yield Step(when=instant(answer.acknowledged_at), what=f"Acknowledged by {one_line(answer.by, 80)}")


def _happened(update: AlertUpdated) -> str:
    told = {"confirmed": "A second read confirmed it", "in-force": "It came into force", "healed": "Healed"}
    return told.get(update.how, words.update_title(update))


def settled(event: AlertUpdated | AlertWithdrawn) -> str:
    """Return what an update's record is, in a word."""
    return event.how if isinstance(event, AlertUpdated) else "withdrawal"


def _when(found: Dossier) -> list[tuple[str, str]]:
    alert = found.alert
    old = alert.evidence.old if alert.evidence else None
    comes = is_ahead(alert) and not found.withdrawal  # what was withdrawn comes into force on no day
    lines = [
        ("In force" if comes else "Effective date in the text", effective(alert)),
        ("First seen", instant(alert.raised_at)),
        ("Compared with", f"the page of {instant(old.fetched_at)}" if old else ""),
        ("Watches", words.watches(alert)),
        ("Language", alert.language),
    ]
    return [(label, text) for label, text in lines if text]


def numbered(found: Dossier) -> list[ChangeView]:
    """Return every change, gravest first, with its number: the same on both pages."""
    old, new = (_clauses(side.version if side else None) for side in (found.side(OLD), found.side(NEW)))
    ranked = words.by_importance(found.changes)
    return [_change(number, change, old, new) for number, change in enumerate(ranked, 1)]


def order(found: Dossier) -> list[int]:
    """Return the places that the changes have in the dossier, in the order of their numbers."""
    places = {id(change): at for at, change in enumerate(found.changes)}
    return [places[id(change)] for change in words.by_importance(found.changes)]


def _change(number: int, change: Change, old: Clauses, new: Clauses) -> ChangeView:
    spans = tuple((op, text) for op, raw in spans_of(change) if (text := clean(raw)))
    place = words.place(change)
    before = old.get(change.old.start) if change.old else None
    after = new.get(change.new.start) if change.new else None
    moved = change.type in {ChangeType.MOVED, ChangeType.MOVED_AND_MODIFIED}
    return ChangeView(
        number=number,
        path=tuple(heading for raw in change.heading_path if (heading := one_line(raw, 200))),
        place=place,
        verb=words.verb(change),
        type=change.type.value,
        severity=change.severity.value,
        quiet=change.type in words.QUIET,
        printed=one_line(change.number, 40),
        lead=one_line(change.lead, 300),
        spans=spans,
        whole=all(op not in "-=" for op, _ in spans) or all(op not in "+=" for op, _ in spans),
        categories=tuple(_categories(change)),
        moved_from=" › ".join(one_line(heading, 90) for heading in before.path) if moved and before else "",
        targets=tuple(_targets(before, after)) if change.type is ChangeType.LINK_TARGET else (),
        facts=tuple(rows(number, place, change)),
        points=tuple(one_line(reason, 300) for reason in change.reasons if not reason.startswith(ASIDE)),
        notes=tuple(one_line(reason, 300) for reason in change.reasons if reason.startswith(ASIDE)),
        clause_id=clean(change.clause_id),
        at={name: (span.start, span.end) for name, span in ((OLD, change.old), (NEW, change.new)) if span},
    )


def _clauses(version: Version | None) -> Clauses:
    return {clause.start: clause for clause in version.clauses} if version else {}


def _targets(old: Clause | None, new: Clause | None) -> Iterator[Target]:
    """Yield the links of a clause whose targets differ, paired in the order in which they stand."""
    if old is None or new is None:
        return
    for before, after in zip(old.links, new.links, strict=False):
        if before.url != after.url:
            yield Target(
                text=one_line(after.text, 80), old=one_line(before.url, 400), new=one_line(after.url, 400)
            )


def _categories(change: Change) -> Iterator[tuple[str, int]]:
    """Yield the names of a change's categories with how sure they are in percent, its own first."""
    known = taxonomy()
    ranked = sorted(change.categories.items(), key=lambda one: (one[0] != change.category, -one[1]))
    for name, sure in ranked:
        yield known[name].short if name in known else one_line(name, 60).replace("_", " "), round(100 * sure)


def sections(changes: Sequence[ChangeView], mark: str) -> list[SectionView]:
    """Return changes under their headings; the section of the gravest change comes first."""
    groups: dict[tuple[str, ...], list[ChangeView]] = {}
    for change in changes:
        groups.setdefault(change.path, []).append(change)
    return [
        SectionView(anchor=f"{mark}{number}", path=path, changes=tuple(group))
        for number, (path, group) in enumerate(groups.items(), 1)
    ]


def _counts(changes: Sequence[Change]) -> str:
    kinds: dict[str, int] = {}
    for change in words.by_importance(changes):
        kinds[words.verb(change)] = kinds.get(words.verb(change), 0) + 1
    return ", ".join(f"{number:,} {verb}" for verb, number in kinds.items())
