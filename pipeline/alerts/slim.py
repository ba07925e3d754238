"""How a gathered message fits into a record: a member keeps its leading changes, its counts and where the rest lies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from pipeline.events import AlertRaised, Coverage, DeliveryDue, DocumentSpec, PageRef
from pipeline.sizes import fitting

BUDGET = 800_000  # bytes of all members of a message; a record has room for a mebibyte
LEAST = 2_400  # bytes that a member may take however many there are
HEADLINE = 1_200  # bytes of one, about, of which no more than its headline is left
STORIES, WATCHES, CATEGORIES = 5, 8, 8
SUMMARY, WORDS = 400, 160  # characters kept of a summary, and of a title or a name, where room is short


def fitted(
    members: Sequence[DeliveryDue], *, budget: int = BUDGET, least: int = LEAST
) -> tuple[DeliveryDue, ...]:
    """Return members that fit a budget of bytes together: small ones as they are, the larger ones share what is left.

    An alert gives up its trailing changes first, then the gist of what else it carries; who and what it is stays.
    """
    sizes = [size(member) for member in members]
    if sum(sizes) <= budget:
        return tuple(members)
    share = max(_share(sizes, budget), least)
    return tuple(
        slimmed(member, share) if taken > share else member
        for member, taken in zip(members, sizes, strict=True)
    )


def sharing(dues: Sequence[DeliveryDue], *, budget: int = BUDGET) -> tuple[DeliveryDue, ...]:
    """Return deliveries that wait for one another in the room of one record, gathered ones by their members.

    Where there are very many a headline is left of each, which is as little as one is told by.
    """
    each = [one for due in dues for one in due.members or (due,)]
    kept = iter(fitted(each, budget=budget, least=HEADLINE))
    return tuple(
        replace(due, members=tuple(next(kept) for _ in due.members)) if due.members else next(kept)
        for due in dues
    )


def slimmed(due: DeliveryDue, budget: int) -> DeliveryDue:
    """Return a delivery in at most a budget of bytes, as far as its alert can give way."""
    if size(due) <= budget:
        return due
    due, alert = _terse(due), due.alert
    if alert is None:
        return due
    for bare in (_without_changes, _gist, _headline):
        kept = bare(alert)
        room = budget - size(replace(due, alert=kept))
        if room >= 0:
            return replace(due, alert=replace(kept, changes=fitting(alert.changes, budget=room)))
    return replace(due, alert=kept, reason=due.reason[:WORDS])


def size(due: DeliveryDue) -> int:
    """Return how many bytes a delivery takes in a record."""
    return len(msgspec.json.encode(due))


def _share(sizes: Sequence[int], budget: int) -> int:
    """Return what each of the larger ones may take so that all fit: the smaller ones leave them their rest."""
    left, share = budget, 0
    for number, taken in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if taken > share:
            return share
        left -= taken
    return share


def _terse(due: DeliveryDue) -> DeliveryDue:
    """Return a delivery whose own words are few."""
    update, withdrawal = due.update, due.withdrawal
    return replace(
        due,
        reason=due.reason[:SUMMARY],
        update=update and replace(update, reason=update.reason[:SUMMARY], coverage=_stories(update.coverage)),
        withdrawal=withdrawal and replace(withdrawal, reason=withdrawal.reason[:SUMMARY]),
        earlier=(),
    )


def _without_changes(alert: AlertRaised) -> AlertRaised:
    evidence = alert.evidence
    return replace(
        alert,
        changes=(),
        evidence=evidence
        and replace(evidence, new=_page(evidence.new), old=evidence.old and _page(evidence.old)),
        story=alert.story and replace(alert.story, entries=()),
        coverage=_stories(alert.coverage),
        matches=tuple(replace(match, spans=()) for match in alert.matches[:WATCHES]),
    )


def _gist(alert: AlertRaised) -> AlertRaised:
    bare = _without_changes(alert)
    return replace(
        bare,
        title=bare.title[:WORDS],
        summary=bare.summary[:SUMMARY],
        service=bare.service[:WORDS],
        document=bare.document and _document(bare.document),
        categories=bare.categories[:CATEGORIES],
        evidence=None,
        story=None,
        coverage=_stories(bare.coverage, 1),
        matches=tuple(replace(match, watch=match.watch[:WORDS]) for match in bare.matches[:1]),
    )


def _headline(alert: AlertRaised) -> AlertRaised:
    bare = _gist(alert)
    return replace(bare, summary="", coverage=(), categories=bare.categories[:1])


def _page(page: PageRef) -> PageRef:
    return replace(page, headers={})


def _document(document: DocumentSpec) -> DocumentSpec:
    return replace(
        document,
        service=document.service[:WORDS],
        name=document.name[:WORDS],
        select=(),
        remove=(),
        robots_reason="",
        aliases=(),
    )


def _stories(coverage: Sequence[Coverage], most: int = STORIES) -> tuple[Coverage, ...]:
    """Return the first stories; the last of them says how many more outlets there were."""
    kept = [replace(one, title=one.title[:WORDS], shared=()) for one in coverage[:most]]
    if left := sum(1 + one.more_outlets for one in coverage[most:]):
        kept[-1] = replace(kept[-1], more_outlets=kept[-1].more_outlets + left)
    return tuple(kept)
