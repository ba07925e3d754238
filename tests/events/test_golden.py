"""One golden sample per event and schema number: what was once written must be read as the same for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.adapters.wire import decode, pack
from pipeline.events import EVENTS

FOLDER = Path(__file__).parents[1] / "data" / "events"
SAMPLES = sorted(FOLDER.glob("*.json"))


def holds(written: Any, read: Any) -> bool:
    """Say whether everything written is read again; fields added since may stand beside it."""
    if isinstance(written, dict) and isinstance(read, dict):
        return all(name in read and holds(value, read[name]) for name, value in written.items())
    if isinstance(written, list) and isinstance(read, list):
        return len(written) == len(read) and all(map(holds, written, read))
    return bool(written == read)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample_decodes_to_same_value(path: Path) -> None:
    """Every value of a sample is there again after a round trip through today's code."""
    sample = json.loads(path.read_text())
    assert holds(sample["value"], json.loads(pack(decode(pack(sample["value"])))))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample_keeps_its_identity(path: Path) -> None:
    """The id, key and time of a sample are what they were when it was written."""
    sample = json.loads(path.read_text())
    event = decode(pack(sample["value"]))
    assert (event.id, event.key, event.at.isoformat()) == (sample["id"], sample["key"], sample["at"])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_has_a_sample(event: Any) -> None:
    """No event of today's schema number is without a golden sample."""
    schema = next(field.default for field in msgspec.structs.fields(event) if field.name == "schema")
    assert (FOLDER / f"{event.__name__}.{schema}.json").exists()
