"""Brings the changes of a service's documents and the stories about it under one key, the service's."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pipeline.events import ClausesChanged, Event, ServiceTouched, StoryUpdated, Verdict
from pipeline.news.names import service_id


async def touch_changed(event: ClausesChanged) -> AsyncIterator[Event]:
    """Say which service a change concerns."""
    if event.verdict is Verdict.CHANGED:
        yield ServiceTouched(service_id=service_id(event.document.service), change=event)


async def touch_reported(event: StoryUpdated) -> AsyncIterator[Event]:
    """Say which services a story concerns."""
    for service in event.services:
        yield ServiceTouched(service_id=service, story=event)
