"""How far a long command is: a line every few seconds, with rate and time left."""

from __future__ import annotations

from io import StringIO

import pytest

from agents.progress import Progress, line_of, span


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def told(out: StringIO, steps: list[tuple[float, int]]) -> str:
    """Tell how far it is at given times; return what was written."""
    moments = iter([at for at, _ in steps])
    progress = Progress(what="records", total=100, out=out, now=lambda: next(moments))
    for _, done in steps:
        progress.tell(lambda done=done: done)  # type: ignore[misc]
    progress.end()
    return out.getvalue()


def test_a_line_every_few_seconds() -> None:
    """In a file a line comes every five seconds, and the rate is that of this run."""
    assert told(StringIO(), [(0, 20), (2, 22), (6, 32), (8, 40), (10, 40)]) == (
        "32 of 100 records, 2/s, 34 s left\n"
    )


def test_terminal_line_is_written_over() -> None:
    """On a terminal one line is written over, and left at the end."""
    out = told(Terminal(), [(0, 0), (1, 10), (2, 20)])
    assert out.count("\r") == 2
    assert out.endswith("20 of 100 records, 10/s, 8 s left\n")


def test_nothing_done_has_no_time_left() -> None:
    """Where nothing came yet, the time left is not made up."""
    assert line_of("records", 5, 10, 0, 3.0) == "5 of 10 records, 0/s, time left not known yet"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40.4, "40 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (11_100, "3 h 5 min")],
)
def test_times_are_read_easily(seconds: float, words: str) -> None:
    """A time is told in the unit that a reader takes in."""
    assert span(seconds) == words
