"""Why a change was told the way it was: the signals, levels and thresholds behind each conclusion, in lines of text.

What an event carries is quoted from it; what it does not carry (how far two texts are linked) is measured again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipeline.alerts.alert import TOLD_UNCONFIRMED, alert_id_of, severity_of
from pipeline.alerts.render import text, words
from pipeline.events import (
    Change,
    ChangeSettled,
    ClausesChanged,
    Fact,
    PageRef,
    PageState,
    Span,
    Version,
    VersionRecorded,
)
from pipeline.policy import align, classify, guard
from pipeline.policy.changes import WORDED, tells
from pipeline.policy.compare import difference, told
from pipeline.policy.identity import Ledger, Record
from pipeline.policy.lifecycle import STANDS_AFTER
from pipeline.policy.normalise import LEVELS
from pipeline.policy.tally import LEVELS as GRAVITY


def change_set(
    event: ClausesChanged,
    changes: Sequence[Change],
    settled: Iterable[ChangeSettled] = (),
    *,
    texts: tuple[Version, Version] | None = None,
) -> Iterator[str]:
    """Yield what stands behind a change set; `texts` are the old and the new version where they are at hand."""
    document = event.document
    yield f"{event.id}  {document.service} {document.name}  {event.verdict.value}  {words.instant(event.at)}"
    if event.headline:
        yield f"  {event.headline}"
    yield ""
    yield from verdict(event, changes)
    if texts:
        yield from signals(*texts)
    yield from confirmation(event, changes, settled)
    yield from evidence(event)
    for number, item in enumerate(changes, 1):
        yield ""
        yield from change(item, number)


def verdict(event: ClausesChanged, changes: Sequence[Change]) -> Iterator[str]:
    """Yield the verdict and what led to it."""
    yield f"verdict: {event.verdict.value}, {event.reason or 'no reason was kept'}"
    telling = sum(map(tells, changes))
    yield (
        f"  {telling} of {len(changes)} differences tell on their own account; one tells when clauses came, went or "
        f"were reworded, at level {' or '.join(sorted(WORDED))}"
    )
    yield f"  levels of normalisation, least first: {', '.join(LEVELS)}"
    if event.stacked:
        yield "  the page holds the coming and the current text: the coming one was compared"
    yield f"effective date: {event.effective_date or 'the text gives none'}"


def signals(old: Version, new: Version) -> Iterator[str]:
    """Yield what the guards of a comparison measure on two versions, each beside its threshold."""
    before = told(old)
    after = told(new, before.current)
    core = difference(before, after)
    links = core.found
    exact = sum(1 for i, j in links.pairs.items() if before.keys[i] == after.keys[j])
    yield "signals, measured on both texts:"
    yield f"  clauses: {len(before.clauses)} before, {len(after.clauses)} after"
    yield f"  links: {len(links.pairs)}, {exact} of them word for word"
    yield (
        f"  linked share of the text: {links.linked[0]:.2f} before, {links.linked[1]:.2f} after "
        f"(under {guard.LINKED:.2f} on both sides it may be another document)"
    )
    yield (
        f"  likeness of the two vocabularies: {guard.alike(before.keys, after.keys):.2f} "
        f"(under {guard.ALIKE:.2f} with little linked, it is another document)"
    )
    yield f"  language: {old.language or 'unknown'} before, {new.language or 'unknown'} after"
    pieces = f"{len(links.split)} pieces split off, {len(links.merged)} merged, {len(links.moved)} moved"
    yield f"  {pieces}{'; cut into other clauses: compared by words' if core.anew else ''}"


def confirmation(
    event: ClausesChanged, changes: Sequence[Change], settled: Iterable[ChangeSettled]
) -> Iterator[str]:
    """Yield how sure the change is, when it was told, and what settled it."""
    gravest, hours = severity_of(changes), STANDS_AFTER.total_seconds() / 3600
    at_once = gravest.rank >= TOLD_UNCONFIRMED.rank
    if event.confirmed:
        yield f"confirmation: confirmed from the start, the page came by {event.origin.value}"
    else:
        wait = "told at once, marked as unconfirmed" if at_once else "held until confirmed"
        yield (
            f"confirmation: provisional at first; gravest change {gravest.value}, {wait} "
            f"(at once from {TOLD_UNCONFIRMED.value}); a second equal read or {hours:g} hours settle it"
        )
    for event_of in settled:
        yield f"  {event_of.how} {words.instant(event_of.settled_at)}: {event_of.reason}"
    yield f"alert: {alert_id_of(event.id)}"


def evidence(event: ClausesChanged) -> Iterator[str]:
    """Yield the two pages that the change set rests on."""
    for name, page, mark in (
        ("old", event.evidence.old, event.old_fingerprint),
        ("new", event.evidence.new, event.new_fingerprint),
    ):
        if page:
            yield from _page(name, page, mark)


def _page(name: str, page: PageRef, mark: str) -> Iterator[str]:
    yield f"{name} page: {page.final_url or page.url}, read {words.instant(page.fetched_at)}, status {page.status}"
    yield f"  SHA-256 {page.body.sha256}, {page.body.size} bytes, {page.page_id}"
    yield f"  fingerprint of its text {mark}"
    if "x-clausewire-rendered" in page.headers:
        yield f"  rendered by {page.headers['x-clausewire-rendered']}: the plain page was a shell"


def change(item: Change, number: int = 0) -> Iterator[str]:
    """Yield what stands behind one change: type, link, category, severity, facts, quotes."""
    head = f"{number}. " if number else ""
    yield f"{head}{words.place(item)} ({item.clause_id})"
    yield f"  redline: {words.one_line(text.redline(item.redline), 400)}"
    yield from reasons(item)
    for name, span in (("old", item.old), ("new", item.new)):
        if span:
            yield f"  {name}: {_quoted(span)}"


def reasons(item: Change) -> Iterator[str]:
    """Yield why a change has its type, link, category and severity, and the facts it states."""
    step = LEVELS.index(item.level) + 1 if item.level in LEVELS else 0
    place = f" ({step} of {len(LEVELS)})" if step else ""
    yield f"  type: {item.type.value}, first differs at level {item.level}{place}"
    links = [reason for reason in item.reasons if reason.startswith(("linked", "leads"))]
    known = "; ".join(links) or ("same words" if item.old and item.new else "no counterpart")
    yield f"  link: {known} (from {align.NEAR:g} alone in a gap, {align.FAR:g} anywhere)"
    yield f"  category: {item.category}{_confidences(item)} (told from {classify.ABSTAIN:g})"
    yield f"  severity: {item.severity.value} = {'; '.join(_arithmetic(item)) or 'not assessed'}"
    yield f"    {', '.join(f'{level.value} from {floor:g}' for floor, level in GRAVITY)}"
    for fact in item.facts:
        yield f"  fact: {_fact(fact)}"


def _confidences(item: Change) -> str:
    ranked = sorted(item.categories.items(), key=lambda one: -one[1])
    told_ = ", ".join(f"{name} {p:.2f}" for name, p in ranked)
    return f" of {told_}" if told_ else ""


def _arithmetic(item: Change) -> list[str]:
    """Return the reasons that are points: what is left when those of type and link are told."""
    return [
        reason for reason in item.reasons if not reason.startswith(("differs at level", "linked", "leads"))
    ]


def _fact(fact: Fact) -> str:
    way = {-1: "against the reader", 0: "neither way", 1: "for the reader"}.get(fact.direction, "")
    where = (
        f" “{words.one_line(fact.quote, 120)}” at {fact.start}–{fact.end} of the clause" if fact.quote else ""
    )
    sides = f"{fact.old or '–'} → {fact.new or '–'}"
    return f"{fact.kind}: {fact.note + ', ' if fact.note else ''}{sides}, {way}{where}"


def _quoted(span: Span) -> str:
    return f"characters {span.start}–{span.end} of its version: “{words.one_line(span.text, 300)}”"


def clause(name: str, record: Record, ledger: Ledger) -> Iterator[str]:
    """Yield what a ledger knows of one clause."""
    yield f"{name}  {stability(name, record, ledger)}"
    yield f"  stood in {record.versions} of {ledger.versions} versions, from the {record.first}. to the {record.last}."
    if record.first_seen and record.last_seen:
        yield f"  first seen {words.instant(record.first_seen)}, last seen {words.instant(record.last_seen)}"
    counts = ((record.changes, "rewording"), (record.moves, "move"), (record.returns, "return"))
    yield f"  {', '.join(_times(*count) for count in counts)}"
    for line in record.lineage:
        yield f"  {line}"


def stability(name: str, record: Record, ledger: Ledger) -> str:
    """Return how steady a clause is: its rewordings over the months it was watched."""
    months = ledger.months(name)
    if months < 1:
        return f"{_times(record.changes, 'change')} in less than a month"
    rate = 12 * record.changes / months
    return f"{_times(record.changes, 'change')} in {_times(round(months), 'month')} ({rate:.1f} a year)"


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def version(event: VersionRecorded) -> Iterator[str]:
    """Yield how a page was read: its state, the reason, and the page itself."""
    document, page = event.document, event.page
    yield f"{event.id}  {document.service} {document.name}  {event.state.value}  {words.instant(event.at)}"
    if event.reason:
        yield f"  {event.reason}"
    if event.state is PageState.OK:
        language = event.language or "language unknown"
        yield f"  {_times(event.clauses, 'clause')}, {language}, extractor {event.extractor}"
    else:
        yield "  the last good version stays; no change follows from this page"
    if event.confirms:
        yield "  it says what the last version says, and confirms it"
    if event.technical:
        yield "  a technical upgrade: the same page read anew, or extracted anew by its archive; no change follows"
    yield from _page("the", page, event.fingerprint or "none")
