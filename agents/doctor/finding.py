"""What the doctor says of one thing: how it stands, what it is, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipeline.errors import PipelineError


class Level(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True):
    """One thing looked at: how it stands, what it is, and what to do about it."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str, remedy: str = "") -> Finding:
    """Return that a thing is in order, with what is still to be done where that is anything."""
    return Finding(Level.OK, what, remedy)


def warn(what: str, remedy: str) -> Finding:
    """Return that a thing works and is not as it should be."""
    return Finding(Level.WARN, what, remedy)


def fail(what: str, remedy: str) -> Finding:
    """Return that a thing does not work."""
    return Finding(Level.FAIL, what, remedy)


def failed(error: PipelineError, otherwise: str, *, about: str = "") -> Finding:
    """Return what an error says, with its remedy, or another where it has none."""
    fact = str(error.args[0])
    return fail(f"{about}: {fact}" if about else fact, error.remedy or otherwise)
