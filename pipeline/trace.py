"""Which fetch led to which delivery: W3C Trace Context (https://www.w3.org/TR/trace-context/), section 3, version 00.

A record's `traceparent` header names the trace that it belongs to and the act that caused it. A trace begins with the
first record of its kind, and its id derives from that record's, so that a repeat and a replay belong to the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

PARENT, STATE = "traceparent", "tracestate"
SAMPLED = 0x01
LONGEST_STATE = 512  # characters: section 3.3.1.1 asks to carry at least so many

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: the trace, the act at hand, and what other systems wrote beside it."""

    trace_id: str  # 32 lower-case hexadecimal digits
    span_id: str  # 16
    flags: int = SAMPLED
    state: str = ""

    @property
    def parent(self) -> str:
        """The value of the header that makes what comes after a child of this act."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry it on."""
        return {PARENT: self.parent, **({STATE: self.state} if self.state else {})}


def parse(parent: str, state: str = "") -> Trace | None:
    """Return what a `traceparent` says, None where it is not one: then a new trace is to be begun (section 4.3).

    A higher version is read as far as version 00 reaches; ids of zeros, upper case and version ff are invalid.
    """
    found = _PARENT.fullmatch(parent.strip())
    if not found:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    kept = state.strip() if len(state) <= LONGEST_STATE and state.isprintable() else ""
    return Trace(trace_id, span_id, int(flags, 16) & SAMPLED, kept)


def begin(cause: str) -> Trace:
    """Return the trace that begins with a record: its ids derive from the record's id."""
    digest = hashlib.sha256(cause.encode()).hexdigest()
    return Trace(digest[:32], digest[32:48])


def of_record(headers: Mapping[str, bytes], cause: str) -> Trace:
    """Return the trace that a record belongs to: as its headers say, or begun with it."""
    told = parse(_text(headers, PARENT), _text(headers, STATE))
    return told or begin(_text(headers, "ce_id") or cause)


def _text(headers: Mapping[str, bytes], name: str) -> str:
    return (headers.get(name) or b"").decode("ascii", "replace")


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """Return the trace of the work at hand, None where there is none."""
    return _current.get()


@contextmanager
def within(trace: Trace | None) -> Iterator[None]:
    """Let what is done inside belong to a trace."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


def headers_for(event_id: str) -> dict[str, bytes]:
    """Return the headers of a record that the work at hand gives rise to, which may begin a trace of its own."""
    trace = _current.get() or begin(event_id)
    return {name: value.encode("ascii", "replace") for name, value in trace.headers.items()}
