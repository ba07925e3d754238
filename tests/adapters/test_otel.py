"""Spans for OpenTelemetry: off unless asked for, and then each step a child of what caused it."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from pipeline import trace
from pipeline.adapters.otel import OtelTracer, tracer_for
from pipeline.errors import ConfigError
from pipeline.ports import Untraced

CAUSE = trace.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@pytest.mark.parametrize("env", [{}, {"CLAUSEWIRE_OTEL": ""}, {"CLAUSEWIRE_OTEL": "0"}])
def test_off_by_default(env: dict[str, str]) -> None:
    """Unless it is asked for, nothing of OpenTelemetry is touched, and traces are carried on as they came."""
    tracer = tracer_for(env)
    assert isinstance(tracer, Untraced)
    with tracer.span("extract_versions", CAUSE):
        assert trace.current() == CAUSE


def test_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for and not installed, it says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match="not installed") as caught:
        tracer_for({"CLAUSEWIRE_OTEL": "1"})
    assert "clausewire[otel]" in caught.value.remedy


def test_api_alone_carries_trace_on() -> None:
    """Without an SDK nothing is recorded, and the trace goes on as it came."""
    pytest.importorskip("opentelemetry.trace", reason="opentelemetry-api is not installed")
    with tracer_for({"CLAUSEWIRE_OTEL": "1"}).span("extract_versions", CAUSE):
        known = trace.current()
    assert known is not None
    assert known.trace_id == CAUSE.trace_id


def test_step_is_child_of_cause() -> None:
    """With an SDK a step is recorded as a child of its record's trace, and its results name the step as parent."""
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    from opentelemetry import propagate
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = OtelTracer(provider.get_tracer("test"), propagate)
    with tracer.span("extract_versions", CAUSE):
        inside = trace.headers_for("x")["traceparent"].decode()
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert (span.name, f"{span.parent.span_id:016x}") == ("extract_versions", CAUSE.span_id)
    assert inside == f"00-{CAUSE.trace_id}-{span.context.span_id:016x}-01"
    provider.shutdown()


def test_state_of_others_survives() -> None:
    """What other systems wrote beside the trace comes out of a span as it went in."""
    pytest.importorskip("opentelemetry.trace", reason="opentelemetry-api is not installed")
    cause = trace.Trace(CAUSE.trace_id, CAUSE.span_id, state="congo=t61")
    with tracer_for({"CLAUSEWIRE_OTEL": "1"}).span("extract_versions", cause):
        known = trace.current()
    assert known is not None
    assert known.state == "congo=t61"
