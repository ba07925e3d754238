"""What a stage says and publishes while it handles a record bears the record's marks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from structlog.contextvars import bound_contextvars

from pipeline import trace
from pipeline.ports import Tracer


@contextmanager
def bound_to(record: Any, stage: str, tracer: Tracer) -> Iterator[None]:
    """Bind the lines logged inside to a record, and let what is published inside belong to its trace."""
    message = record.message
    headers = dict(message.headers or {})
    place = f"{message.topic}/{message.partition}/{message.offset}"
    known = trace.of_record(headers, place)
    marks = {
        "stage": stage,
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "key": (record.key or b"").decode(errors="replace"),
        "event_id": (headers.get("ce_id") or b"").decode(errors="replace"),
        "trace_id": known.trace_id,
    }
    with bound_contextvars(**marks), tracer.span(stage, known):
        yield
