"""Events as records: JSON values, CloudEvents 1.0 attributes as `ce_*` headers (Kafka binding, binary mode)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

import msgspec

from pipeline.errors import DecodeError
from pipeline.events import EVENTS, Event

SOURCE = "/clausewire"
T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(reduce(or_, EVENTS))
_newest = {
    event.__name__: next(f.default for f in msgspec.structs.fields(event) if f.name == "schema")
    for event in EVENTS
}


def event_type(event: type[Event]) -> str:
    """Return the CloudEvents type of an event class: PageFetched is clausewire.page.fetched."""
    words = re.findall(r"[A-Z][a-z0-9]*", event.__name__)
    return "clausewire." + ".".join(word.lower() for word in words)


def pack(value: object) -> bytes:
    """Return any value of ours as JSON bytes, the same for the same value."""
    return _encoder.encode(value)


def unpack(data: bytes, kind: type[T]) -> T:
    """Return the value that the JSON bytes spell; DecodeError when they do not."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"not a {kind.__name__}: {error}") from error


def encode(event: Event) -> tuple[bytes, bytes, dict[str, bytes]]:
    """Return an event as key, value and headers of its record."""
    return event.key.encode(), pack(event), headers(event)


def headers(event: Event) -> dict[str, bytes]:
    """Return the CloudEvents attributes of an event as Kafka headers."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_source": SOURCE,
        "ce_type": event_type(type(event)),
        "ce_time": event.at.isoformat().replace("+00:00", "Z"),
        "ce_subject": event.key,
        "content-type": "application/json",
    }
    return {name: value.encode() for name, value in attributes.items()}


def decode(value: bytes | None) -> Event:
    """Return the event that a record's value spells; DecodeError says what is wrong and what to do."""
    if value is None:
        raise DecodeError(
            "a null value on a topic that takes events", remedy="find out who sends tombstones here"
        )
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise DecodeError(_why(value, error), remedy=_remedy(value)) from error


def _head(value: bytes) -> Mapping[str, Any]:
    try:
        head = msgspec.json.decode(value)
    except msgspec.MsgspecError:
        return {}
    return head if isinstance(head, dict) else {}


def _is_newer(value: bytes) -> bool:
    head = _head(value)
    schema, newest = head.get("schema"), _newest.get(str(head.get("type")))
    return isinstance(schema, int) and (newest is None or schema > newest)


def _why(value: bytes, error: Exception) -> str:
    if _is_newer(value):
        head = _head(value)
        return f"{head.get('type')} of schema {head.get('schema')} cannot be read by this version: {error}"
    return f"not an event: {error}"


def _remedy(value: bytes) -> str:
    if _is_newer(value):
        return "upgrade this process, then run `clausewire rejected retry`"
    return "find the producer that writes other things to this topic"


def schemas(events: Iterable[type[Event]] = EVENTS) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of each event by name."""
    return {event.__name__: msgspec.json.schema(event) for event in events}


def timestamp(moment: datetime) -> float:
    """Return a moment as the seconds since the epoch that records carry."""
    return moment.timestamp()
