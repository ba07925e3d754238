"""What is measured: the closed list of metrics, counted with Prometheus' client in a registry of its own.

Names and units follow Prometheus' conventions. Labels take their values from closed lists: a stage, a topic, a table,
a word for an outcome; never a URL, an id or anything else that grows with what is watched.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from pipeline.errors import FetchError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Channel,
    Event,
    EventRejected,
    FetchOutcome,
    Severity,
)
from pipeline.polling import Fetched, read_answer, read_error
from pipeline.ports import Fetches, Meter

TEXT = CONTENT_TYPE_LATEST
SOURCES = ("document", "feed")
POLLED = (*FetchOutcome, "held")
HANDLED = ("done", "passed", "retried", "rejected", "crashed")
DELIVERED = ("sent", "failed", "refused", "gave-up", "skipped")
ALERTS = ("change", "story", "health")

Labels = tuple[str, ...]


class Kind(StrEnum):
    """How a metric counts."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name without `clausewire_`, what it tells in one sentence, and its labels."""

    name: str
    kind: Kind
    tells: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        return f"clausewire_{self.name}"

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its time series, as they are asked for."""
        parts = ("_bucket", "_count", "_sum") if self.kind is Kind.HISTOGRAM else ("",)
        return tuple(self.full_name + part for part in parts)


STEP_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
FETCH_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0)

METRICS = (
    Metric(
        "events_total", Kind.COUNTER, "Records that a stage was through with, by how that ended: done, passed (not "
        "for it), retried, rejected, given-up (another process does it) or crashed.", ("stage", "outcome"),
    ),
    Metric(
        "processing_seconds", Kind.HISTOGRAM, "Seconds from taking a record up to its results being in the log and "
        "remembered, waits for retries included.", ("stage",), STEP_S,
    ),
    Metric(
        "consumer_lag_records", Kind.GAUGE, "Records of a topic that this process has still to work through, on the "
        "partitions it holds.", ("group", "topic"),
    ),
    Metric(
        "alerts_total", Kind.COUNTER, "Alerts published, by kind (change, story, health), severity and what was told: "
        "raised, updated or withdrawn; updates and withdrawals bear neither kind nor severity.",
        ("told", "kind", "severity"),
    ),
    Metric(
        "deliveries_total", Kind.COUNTER, "Attempts to deliver, by channel and how they ended: sent, failed (it will "
        "be tried again), refused, gave-up or skipped.", ("channel", "outcome"),
    ),
    Metric("rejected_total", Kind.COUNTER, "Events set aside, by the stage that gave them up.", ("stage",)),
    Metric(
        "polls_total", Kind.COUNTER, "Reads of sources, by kind (document, feed) and outcome: ok, unchanged, failed, "
        "blocked, or held back by the host's wish before any request was made.", ("kind", "outcome"),
    ),
    Metric(
        "poll_seconds", Kind.HISTOGRAM, "Seconds that a read of a source took, waiting its turn included.",
        ("kind",), FETCH_S,
    ),
    Metric(
        "sources", Kind.GAUGE, "Sources that this process polls, by kind and health: new, ok, failing, blocked or "
        "gone.", ("kind", "health"),
    ),
    Metric("table_entries", Kind.GAUGE, "Entries that a table holds in this process.", ("group", "table")),
    Metric(
        "recovery_seconds", Kind.GAUGE, "Seconds that this process did no work the last time that it started or "
        "partitions were handed out: joining, and reading its tables back.", ("group",),
    ),
    Metric(
        "recoveries_total", Kind.COUNTER, "Times that partitions were handed out and tables read back.", ("group",)
    ),
    Metric("ready", Kind.GAUGE, "1 while this process works, 0 while it cannot; /health/ready says why."),
)  # fmt: skip
BY_NAME: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in METRICS})


class Metrics:
    """A meter that Prometheus reads: what happens is counted, what is so at the moment is set."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counts = {m.name: _made(m, self._registry) for m in METRICS if m.kind is not Kind.GAUGE}
        self._states: dict[str, Mapping[Labels, float]] = {}
        self._registry.register(_Gauges(self._states))
        self._begin("polls_total", SOURCES, POLLED)
        self._begin("deliveries_total", (*Channel, "none"), DELIVERED)
        self._begin("alerts_total", ("raised",), ALERTS, Severity)
        self._begin("alerts_total", ("updated", "withdrawn"), ("",), ("",))

    def begin_stage(self, stage: str) -> None:
        """Have a stage's counts begin at 0."""
        self._begin("events_total", (stage,), HANDLED)
        self._begin("rejected_total", (stage,))
        self._begin("processing_seconds", (stage,))

    def _begin(self, name: str, *words: Iterable[str]) -> None:
        """Begin counts at 0: Prometheus sees no increase in a series that begins at 1."""
        for labels in product(*words):
            self._counts[name].labels(*labels)

    def text(self) -> bytes:
        """Return everything measured, in Prometheus' text format (content type TEXT)."""
        return generate_latest(_Plain(self._registry))

    def handled(self, stage: str, outcome: str, seconds: float | None = None) -> None:
        self._counts["events_total"].labels(stage, outcome).inc()
        if seconds is not None and outcome != "passed":
            self._counts["processing_seconds"].labels(stage).observe(seconds)

    def published(self, event: Event) -> None:
        match event:
            case AlertRaised():
                self._counts["alerts_total"].labels("raised", event.kind, event.severity.value).inc()
            case AlertUpdated():
                self._counts["alerts_total"].labels("updated", "", "").inc()
            case AlertWithdrawn():
                self._counts["alerts_total"].labels("withdrawn", "", "").inc()
            case EventRejected():
                self._counts["rejected_total"].labels(event.stage).inc()

    def delivered(self, channel: str, outcome: str) -> None:
        self._counts["deliveries_total"].labels(channel, outcome).inc()

    def polled(self, kind: str, outcome: str, seconds: float) -> None:
        self._counts["polls_total"].labels(kind, outcome).inc()
        self._counts["poll_seconds"].labels(kind).observe(seconds)

    def recovered(self, group: str, seconds: float) -> None:
        """Note that a process of a group works again, and for how long it had not."""
        self.set_states("recovery_seconds", {**self._states.get("recovery_seconds", {}), (group,): seconds})
        self._counts["recoveries_total"].labels(group).inc()

    def set_states(self, name: str, values: Mapping[Labels, float]) -> None:
        """Say what is so now, by the values of a gauge's labels; what is not named is no more."""
        assert BY_NAME[name].kind is Kind.GAUGE
        self._states[name] = dict(values)


class _Plain(CollectorRegistry):
    """A registry without the `_created` series that the client adds to each counter."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._inner = registry

    def collect(self) -> Iterable[Family]:
        for family in self._inner.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


class _Gauges(Collector):
    """The gauges as they were last set, each as one whole."""

    def __init__(self, states: Mapping[str, Mapping[Labels, float]]) -> None:
        self._states = states

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for metric in METRICS:
            if metric.kind is Kind.GAUGE:
                family = GaugeMetricFamily(metric.full_name, metric.tells, labels=metric.labels)
                for labels, value in self._states.get(metric.name, {}).items():
                    family.add_metric(labels, value)
                yield family


def _made(metric: Metric, registry: CollectorRegistry) -> Any:
    if metric.kind is Kind.COUNTER:
        return Counter(metric.full_name, metric.tells, metric.labels, registry=registry)
    return Histogram(metric.full_name, metric.tells, metric.labels, registry=registry, buckets=metric.buckets)


class MeteredFetches:
    """Reads of sources of one kind (document or feed), counted by outcome."""

    def __init__(self, fetches: Fetches, meter: Meter, kind: str) -> None:
        self._fetches = fetches
        self._meter = meter
        self._kind = kind

    async def fetch(self, url: str, **how: Any) -> Fetched:
        """Read a URL as the fetcher beneath does, and count what came of it."""
        started = time.perf_counter()
        outcome = "failed"
        try:
            fetched = await self._fetches.fetch(url, **how)
            outcome = read_answer(fetched).outcome.value
        except FetchError as error:
            outcome = "held" if error.kind == "held" else read_error(error).outcome.value
            raise
        finally:
            self._meter.polled(self._kind, outcome, time.perf_counter() - started)
        return fetched
