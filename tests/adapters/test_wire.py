"""Events as records: JSON and CloudEvents headers there and back, and clear words for what is neither."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.adapters.wire import decode, encode, event_type, schemas
from pipeline.errors import DecodeError
from pipeline.events import EVENTS, ChangeSettled, PageFetched

EVENT = ChangeSettled(
    document_id="x/terms",
    change_id="chg-1",
    settled_at=datetime(2024, 10, 17, tzinfo=UTC),
    how="confirmed",
)


def test_event_survives_the_wire() -> None:
    """What is decoded equals what was encoded."""
    _, value, _ = encode(EVENT)
    assert decode(value) == EVENT


def test_headers_are_cloudevents() -> None:
    """The record carries the required attributes of CloudEvents 1.0 and the time of the event."""
    _, _, headers = encode(EVENT)
    assert headers["ce_specversion"] == b"1.0"
    assert (headers["ce_id"], headers["ce_time"]) == (EVENT.id.encode(), b"2024-10-17T00:00:00Z")


def test_type_spells_the_class() -> None:
    """The CloudEvents type is dotted and lower case."""
    assert event_type(PageFetched) == "clausewire.page.fetched"


def test_unknown_fields_are_skipped() -> None:
    """A field that a later version added does not hinder an older reader."""
    value = json.loads(encode(EVENT)[1]) | {"colour": "green"}
    assert decode(json.dumps(value).encode()) == EVENT


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null value"),
        (b"", "not an event"),
        (b"\xff\xfe", "not an event"),
        (b"[]", "not an event"),
        (b'{"type": "ChangeSettled"}', "missing required field"),
        (b'{"type": "MoonRose", "schema": 1}', "MoonRose"),
        (b'{"type": "ChangeSettled", "schema": 9, "document": 1}', "schema 9 cannot be read by this version"),
    ],
)
def test_foreign_bytes_are_refused(value: bytes | None, words: str) -> None:
    """Bytes that are no event of ours become a DecodeError that says so."""
    with pytest.raises(DecodeError, match=words):
        decode(value)


def test_newer_schema_says_what_to_do() -> None:
    """A record of a newer schema asks for an upgrade, not for a hunt."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"type": "ChangeSettled", "schema": 9}')
    assert "upgrade" in caught.value.remedy


def test_every_event_has_a_schema() -> None:
    """The JSON Schema of each event can be printed."""
    assert set(schemas()) == {event.__name__ for event in EVENTS}
