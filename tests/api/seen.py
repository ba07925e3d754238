"""A history made by the real steps: pages of a document one after the other, and what came of them, in a desk's log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from html import escape

from agents.detect_changes import detect_changes
from agents.extract_versions import ReadingState, extract_versions
from agents.raise_alerts import raise_alerts
from pipeline.adapters.blobs import BlobValues
from pipeline.adapters.tables import DictMemory
from pipeline.alerts.alert import AlertingState
from pipeline.events import (
    AlertRaised,
    ChangeSettled,
    ClausesChanged,
    DocumentSpec,
    Event,
    FetchOutcome,
    Origin,
    PageFetched,
    VersionRecorded,
)
from pipeline.policy.lifecycle import DocumentState
from tests.api.desk import Desk
from tests.fakes import NOON
from tests.flow.line import CLAUSES

DOCUMENT = DocumentSpec(
    id="example/terms", service="Example", name="Terms of Service", url="https://example.org/terms"
)
SCRIPT = "<script>alert(1)</script> We may share your data with anyone, and we may train models on it."
REWORDED = tuple((title, text.replace("30 days after", "90 days after")) for title, text in CLAUSES)
HOSTILE = (*REWORDED, ("Sharing <b>", SCRIPT))


def page(clauses: Sequence[tuple[str, str]]) -> bytes:
    """Return terms as a page; what clauses hold is text, whatever it looks like."""
    body = "".join(f"<h2>{escape(title)}</h2><p>{escape(text)}</p>" for title, text in clauses)
    head = "<!doctype html><html lang='en'><head><title>Terms</title></head>"
    return f"{head}<body><main><h1>Terms</h1>{body}</main></body></html>".encode()


async def watched(api: Desk, *bodies: bytes, document: DocumentSpec = DOCUMENT) -> list[AlertRaised]:
    """Put pages into history, a day apart, and return the alerts that they led to."""
    events = [event async for event in _line(api, bodies, document)]
    await api.office.log.publish_all(events)
    return [event for event in events if isinstance(event, AlertRaised)]


async def _line(api: Desk, bodies: Sequence[bytes], document: DocumentSpec) -> AsyncIterator[Event]:
    blobs = api.office.blobs
    values, reading = BlobValues(blobs), DictMemory(ReadingState)
    states, alerting = DictMemory(DocumentState), DictMemory(AlertingState)
    for day, body in enumerate(bodies):
        fetched = PageFetched(
            document=document,
            fetched_at=NOON + timedelta(days=day),
            outcome=FetchOutcome.OK,
            final_url=document.url,
            status=200,
            headers={"content-type": "text/html", "etag": '"<i>1</i>"'},
            body=await blobs.put(body, media_type="text/html"),
            origin=Origin.IMPORT,
        )
        async for version in extract_versions(fetched, blobs=blobs, values=values, memory=reading):
            yield version
            assert isinstance(version, VersionRecorded), version
            async for change in detect_changes(version, values=values, memory=states):
                yield change
                if isinstance(change, ClausesChanged | ChangeSettled):
                    async for alert in raise_alerts(change, values=values, memory=alerting):
                        yield alert
