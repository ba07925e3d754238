"""W3C Trace Context: read as the specification says, written so that others read it, begun from the record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import trace

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("parent", "flags"),
    [
        (GOOD, 1),
        (GOOD[:-2] + "00", 0),
        (GOOD[:-2] + "03", 1),  # flags that we do not know are not passed on
        (f" {GOOD}\t", 1),
        (
            "cc" + GOOD[2:] + "-what-the-future-will-be-like",
            1,
        ),  # a higher version is read as far as we know it
        ("cc" + GOOD[2:], 1),
    ],
)
def test_valid_parent_is_read(parent: str, flags: int) -> None:
    """A valid header gives trace, span and the flag that we know."""
    assert trace.parse(parent) == trace.Trace(
        "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", flags=flags
    )


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        GOOD.upper(),
        GOOD[:-3],
        "ff" + GOOD[2:],
        GOOD + "-extra",
        GOOD + ".",
        "cc" + GOOD[2:] + ".what",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        GOOD.replace("-", "_"),
        GOOD.replace("4bf9", "4bg9"),
        "٠٠" + GOOD[2:],  # digits of another script
    ],
)
def test_invalid_parent_is_none(parent: str) -> None:
    """What is not a traceparent says nothing, so that a new trace begins."""
    assert trace.parse(parent) is None


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    """No header, however strange, is an error."""
    found = trace.parse(text, text)
    assert found is None or trace.parse(found.parent) is not None


@given(st.text())
def test_written_is_read(cause: str) -> None:
    """A trace that we begin is valid, and reads back as it was."""
    begun = trace.begin(cause)
    assert trace.parse(begun.parent) == begun


def test_beginning_is_repeatable() -> None:
    """The same record begins the same trace, another one another: replays and repeats belong together."""
    assert trace.begin("pag-1") == trace.begin("pag-1") != trace.begin("pag-2")


def test_state_goes_along() -> None:
    """What other systems wrote beside the trace is carried on; what is too long or unprintable is not."""
    assert trace.Trace("a" * 32, "b" * 16, state="congo=t61").headers["tracestate"] == "congo=t61"
    assert [trace.parse(GOOD, state).state for state in ("congo=t61", "x" * 513, "a\nb")] == [
        "congo=t61",
        "",
        "",
    ]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "headers", [{}, {"traceparent": b"\xff\xfe"}, {"traceparent": b"nonsense", "ce_id": b""}]
)
def test_record_without_trace_begins_one(headers: dict[str, bytes]) -> None:
    """A record whose headers name no trace begins one at its place."""
    assert trace.of_record(headers, "pages.fetched/0/7") == trace.begin("pages.fetched/0/7")


def test_record_takes_trace_over() -> None:
    """A record that came with a trace stays in it."""
    assert trace.of_record({"traceparent": GOOD.encode(), "ce_id": b"x"}, "place").parent == GOOD


def test_work_inside_belongs_to_trace() -> None:
    """What is published inside carries the trace of the work at hand, outside one of its own."""
    with trace.within(trace.parse(GOOD)):
        inside = trace.headers_for("x")
    assert (inside, trace.headers_for("x")) == (
        {"traceparent": GOOD.encode()},
        {"traceparent": trace.begin("x").parent.encode()},
    )
