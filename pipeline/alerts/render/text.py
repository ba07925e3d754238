"""An alert as plain text, for a terminal, a log or the text part of a mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from pipeline.alerts.render import text_gathered, words
from pipeline.alerts.render.text_parts import EACH, WIDTH, change, markdown, redline
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, DeliveryDue

__all__ = ["alert", "change", "compose", "markdown", "redline", "update"]

WORST = 2_000
NO_LINKS = Links()


def alert(
    told: AlertRaised,
    *,
    links: Links = NO_LINKS,
    updates: Sequence[AlertUpdated] = (),
    withdrawal: AlertWithdrawn | None = None,
    width: int = WIDTH,
    most: int = 8,
    scale: float = 1.0,
) -> str:
    """Return an alert as text: `most` changes, each within a size that `scale` shrinks, and the rest counted."""
    ranked = words.by_importance(told.changes)[:most]
    shown = [
        change(item, max(int((EACH if at else WORST) * scale), 80), width=width)
        for at, item in enumerate(ranked)
    ]
    left = words.more(told, ranked)
    blocks = [
        _lead(told, updates, withdrawal, width),
        *shown[:1],
        "\n".join(f"▸ {fact}" for fact in words.facts(words.by_importance(told.changes))),
        "\n".join(f"{line.label}: {line.text}" for line in words.when(told)),
        _news(told, updates),
        *shown[1:],
        f"{left}." if left else "",
        "\n".join(_sources(told, links)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def update(
    told: AlertUpdated | AlertWithdrawn, *, about: AlertRaised | None = None, links: Links | None = None
) -> str:
    """Return an update or a withdrawal as text; with `links`, what its alert said and rests on as well."""
    lines = [
        words.subject(about) if about else "",
        words.update_title(told),
        words.sentence(words.because(told)),
        *(
            f"· {words.one_line(story.title)}  {words.coverage(story)}\n  {words.clean(story.url)}"
            for story in (told.coverage if isinstance(told, AlertUpdated) else ())
        ),
    ]
    blocks = ["\n".join(line for line in lines if line)]
    if about and links is not None:
        grave = "" if about.kind == "story" else f"  [{about.severity.upper()}]"
        stood = "No longer stands: " if isinstance(told, AlertWithdrawn) else ""
        blocks += [f"{stood}{words.lead(about)}{grave}", "\n".join(_sources(about, links))]
    return "\n\n".join(blocks) + "\n"


def compose(due: DeliveryDue, *, links: Links = NO_LINKS) -> str:
    """Return the text of a delivery."""
    if due.members:
        return text_gathered.message(due, links=links)
    told = due.withdrawal or due.update
    if told is not None:
        return update(told, about=due.alert)
    assert due.alert is not None, "a delivery tells an alert, an update or a withdrawal"
    return alert(due.alert, links=links)


def _lead(
    told: AlertRaised, updates: Sequence[AlertUpdated], withdrawal: AlertWithdrawn | None, width: int
) -> str:
    grave = "" if told.kind == "story" else f"  [{told.severity.upper()}]"
    state = [words.update_title(update) for update in updates if update.how != "coverage"]
    if withdrawal:
        state.append(f"{words.update_title(withdrawal)}: {words.one_line(withdrawal.reason)}")
    said = [text for text in (words.lead(told), words.account(told)) if text and text != words.subject(told)]
    return "\n".join([f"{words.subject(told)}{grave}", *state, *(fill(text, width) for text in said)])


def _news(told: AlertRaised, updates: Sequence[AlertUpdated]) -> str:
    stories = words.coverage_of(told, updates)
    if not stories:
        return ""
    lines = [
        f"  · {words.one_line(story.title, 150)}  ({words.coverage(story)})\n    {words.clean(story.url)}"
        for story in stories[:5]
    ]
    left = [f"  {len(stories) - 5} more reports."] if len(stories) > 5 else []
    return "\n".join(["In the news", *lines, *left])


def _sources(told: AlertRaised, links: Links) -> Iterator[str]:
    page = told.document.url if told.document else ""
    for label, url in (("Page", page), ("Full redline", links.redline), ("Evidence", links.evidence)):
        if url:
            yield f"{label}: {words.clean(url)}"
    if told.evidence:
        yield f"Page SHA-256: {told.evidence.new.body.sha256}"
    yield f"Alert: {told.alert_id}"
