"""Brings the changes of a service's documents and the stories about it under one key, the service's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from pipeline.events import ClausesChanged, Event, ServiceTouched, StoryUpdated, Verdict
from pipeline.policy.lifecycle import fitting


def service_id(name: str) -> str:
    """Return the id of a service: its name, folded."""
    return "-".join(name.casefold().split())


async def touch_services(event: ClausesChanged | StoryUpdated) -> AsyncIterator[Event]:
    """Say which services a change or a story concerns."""
    if isinstance(event, StoryUpdated):
        for service in event.services:
            yield ServiceTouched(service_id=service, story=event)
    elif event.verdict is Verdict.CHANGED:
        slim = msgspec.structs.replace(event, changes=fitting(event.changes))
        yield ServiceTouched(service_id=service_id(event.document.service), change=slim)
