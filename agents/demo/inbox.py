"""What arrived: every message that a receiver of the demo took, in order, as values and as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from pipeline.events import Channel
from pipeline.ports import Clock


class Arrival(Struct, frozen=True, kw_only=True):
    """A message that one of the receivers took: when, what it says to its reader, and where it lies.

    `message_id` is the delivery's, whatever the channel; `faults` are what a stricter receiver would refuse.
    """

    channel: Channel
    at: datetime
    message_id: str
    text: str
    file: Path
    body: Mapping[str, Any] = {}
    faults: tuple[str, ...] = ()


class Inbox:
    """Keeps what arrived, in order; a message that comes twice under one id is kept once and counted."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.arrivals: list[Arrival] = []
        self.refused: list[str] = []
        self.repeated: Counter[Channel] = Counter()

    @property
    def repeats(self) -> int:
        """How many messages came again under an id that was taken before."""
        return self.repeated.total()

    def file(self, channel: Channel, suffix: str) -> Path:
        """Return the path for the next message of a channel."""
        folder = self.folder / channel.value
        folder.mkdir(parents=True, exist_ok=True)
        number = sum(arrival.channel is channel for arrival in self.arrivals) + 1
        return folder / f"{number:02d}{suffix}"

    def take(self, arrival: Arrival, data: bytes) -> None:
        """Keep a message and the bytes that it came as."""
        known = {(kept.channel, kept.message_id) for kept in self.arrivals}
        if (arrival.channel, arrival.message_id) in known:
            self.repeated[arrival.channel] += 1
            return
        arrival.file.write_bytes(data)
        self.arrivals.append(arrival)

    def refuse(self, why: str) -> None:
        """Note a message that was not taken."""
        self.refused.append(why)
