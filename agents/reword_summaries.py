"""From a summary by rule to one in better words, where an endpoint is configured and its words can be vouched for."""

from __future__ import annotations

import msgspec
import structlog

from pipeline.events import Comparison, Verdict, VersionRecorded
from pipeline.policy.rewording import tidied, unfit
from pipeline.ports import RewriteRequest, Rewrites

logger = structlog.get_logger(__name__)

LEADING = 3  # changes whose texts are sent along


async def reword(comparison: Comparison, event: VersionRecorded, rewrites: Rewrites) -> Comparison:
    """Return a comparison with its summary reworded, or as it was when the rewording says anything of its own."""
    if comparison.verdict is not Verdict.CHANGED:
        return comparison
    answer = await rewrites.rewrite(request(comparison, event))
    if answer is None:
        return comparison
    text, document = tidied(answer), event.document
    why = unfit(text, comparison, service=document.service, document=document.name, seen_at=event.at)
    if why:
        logger.info("summary.rewording-dropped", document=document.id, reason=why)
        return comparison
    return msgspec.structs.replace(comparison, summary=text)


def request(comparison: Comparison, event: VersionRecorded) -> RewriteRequest:
    """Return what a rewriter is given: the summary by rule and both sides of the leading changes."""
    return RewriteRequest(
        summary=comparison.summary,
        texts=tuple(
            (change.old.text if change.old else "", change.new.text if change.new else "")
            for change in comparison.changes[:LEADING]
        ),
        service=event.document.service,
        document=event.document.name,
    )
