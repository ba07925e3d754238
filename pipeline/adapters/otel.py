"""Spans for OpenTelemetry, when it is installed and asked for (CLAUSEWIRE_OTEL=1).

The API alone (`pip install clausewire[otel]`) records nothing. Under `opentelemetry-instrument`, or with an SDK that
the environment configures, each step becomes a span under the record that caused it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipeline.errors import ConfigError
from pipeline.ports import Tracer, Untraced
from pipeline.trace import Trace, parse, within

SWITCH = "CLAUSEWIRE_OTEL"


def tracer_for(env: Mapping[str, str] = os.environ) -> Tracer:
    """Return the tracer that the environment asks for; ConfigError where it cannot be had."""
    if env.get(SWITCH, "") not in {"1", "true", "yes"}:
        return Untraced()
    try:
        from opentelemetry import propagate, trace
    except ImportError as error:
        raise ConfigError(
            f"{SWITCH} is set and OpenTelemetry is not installed",
            key=SWITCH,
            remedy="pip install 'clausewire[otel]', or unset it",
        ) from error
    return OtelTracer(trace.get_tracer("clausewire"), propagate)


class OtelTracer:
    """Opens a span per step; what is published inside names the span as its parent."""

    def __init__(self, tracer: Any, propagate: Any) -> None:
        self._tracer = tracer
        self._propagate = propagate

    @contextmanager
    def span(self, name: str, trace: Trace) -> Iterator[None]:
        """Do what is inside as a child of the trace."""
        parent = self._propagate.extract(trace.headers)
        with self._tracer.start_as_current_span(name, context=parent):
            onward: dict[str, str] = {}
            self._propagate.inject(onward)
            inner = parse(onward.get("traceparent", ""), onward.get("tracestate", ""))
            with within(inner or trace):
                yield
