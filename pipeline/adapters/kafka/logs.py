"""What the Kafka client says, at most once in a while for each thing it says: an outage is not a thousand lines."""

from __future__ import annotations

import logging
import time

import structlog

EVERY_S = 30.0
ORDINARY = "because it is rebalancing"


class Seldom(logging.Handler):
    """Passes on one record of a kind per `every_s` seconds."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        super().__init__(logging.WARNING)
        self._every_s = every_s
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record, unless one of its kind was logged a moment ago."""
        if ORDINARY in str(record.msg):
            return
        now, kind = time.monotonic(), f"{record.name}:{record.msg}"
        if now - self._said.get(kind, -self._every_s) >= self._every_s:
            self._said[kind] = now
            structlog.get_logger(record.name).warning("kafka.client", said=record.getMessage()[:300])


def quieten() -> None:
    """Have the client's warnings logged through us, and its asides not at all."""
    client = logging.getLogger("aiokafka")
    client.setLevel(logging.WARNING)
    client.propagate = False
    if not any(isinstance(handler, Seldom) for handler in client.handlers):
        client.addHandler(Seldom())
