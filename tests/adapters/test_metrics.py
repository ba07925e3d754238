"""The closed list of metrics: named as Prometheus asks, counted right, and nothing beside it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.adapters.metrics import METRICS, Kind, MeteredFetches, Metric, Metrics
from pipeline.errors import FetchError
from pipeline.events import AlertRaised, AlertUpdated, Event, EventRejected, Severity
from pipeline.polling import Fetched

NOON = datetime(2024, 10, 17, 12, tzinfo=UTC)


def measured(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return what is told, by series and values of labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_conventions(metric: Metric) -> None:
    """Counters end in _total, times in _seconds, each tells one sentence, and no label can grow without end."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z]", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_seconds") or metric.kind is not Kind.HISTOGRAM
    assert metric.tells.endswith(".")
    assert set(metric.labels) <= {"stage", "outcome", "group", "topic", "told", "kind", "severity", "channel", "health", "table"}  # fmt: skip


def test_names_are_unique() -> None:
    """No two metrics share a name."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_only_listed_series_are_told() -> None:
    """Whatever happens, what is told is on the list."""
    metrics = Metrics()
    metrics.handled("extract_versions", "done", 0.1)
    metrics.published(alert())
    metrics.delivered("webhook", "sent")
    metrics.polled("document", "ok", 0.2)
    metrics.recovered("clausewire", 1.5)
    listed = {series for metric in METRICS for series in metric.series}
    assert {name for name, _ in measured(metrics)} <= listed


def alert(**also: Any) -> AlertRaised:
    return AlertRaised(
        alert_id="alt-1",
        kind="change",
        raised_at=NOON,
        title="t",
        summary="s",
        severity=Severity.HIGH,
        **also,
    )


REJECTED = EventRejected(stage="notify", reason="r", rejected_at=NOON, topic="outbox", partition=0, offset=1)
UPDATED = AlertUpdated(alert_id="alt-1", updated_at=NOON, how="confirmed", cause_id="c")


@pytest.mark.parametrize(
    ("event", "series", "labels"),
    [
        (alert(), "clausewire_alerts_total", ("change", "high", "raised")),
        (UPDATED, "clausewire_alerts_total", ("", "", "updated")),
        (REJECTED, "clausewire_rejected_total", ("notify",)),
    ],
)
def test_events_are_counted(event: Event, series: str, labels: tuple[str, ...]) -> None:
    """Alerts count by kind and severity, rejected events by the stage that gave them up."""
    metrics = Metrics()
    metrics.published(event)
    found = measured(metrics)
    assert {(name, tuple(sorted(values))): value for (name, values), value in found.items()}[
        series, tuple(sorted(labels))
    ] == 1.0


def test_passed_records_take_no_time() -> None:
    """Records that a stage lets by are counted and do not make its times look better than they are."""
    metrics = Metrics()
    metrics.handled("raise_alerts", "passed", 0.000001)
    assert [value for (name, _), value in measured(metrics).items() if name.endswith("seconds_count")] == []


def test_state_that_ended_is_gone() -> None:
    """A topic that went to another process shows no lag here any more."""
    metrics = Metrics()
    metrics.set_states("consumer_lag_records", {("g", "outbox"): 7.0, ("g", "sources"): 1.0})
    metrics.set_states("consumer_lag_records", {("g", "sources"): 0.0})
    found = [(labels, value) for (name, labels), value in measured(metrics).items() if "lag" in name]
    assert found == [(("g", "sources"), 0.0)]


class Answers:
    """A fetcher that answers as it is told to."""

    def __init__(self, answer: int | FetchError) -> None:
        self.answer = answer

    async def fetch(self, url: str, **_: object) -> Fetched:
        if isinstance(self.answer, FetchError):
            raise self.answer
        return Fetched(url=url, status=self.answer, final_url=url, fetched_at=NOON, elapsed_s=0.1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (200, "ok"),
        (304, "unchanged"),
        (500, "failed"),
        (403, "blocked"),
        (FetchError("no such host", kind="dns"), "failed"),
        (FetchError("robots.txt forbids", kind="robots"), "blocked"),
        (FetchError("asked to wait", kind="held"), "held"),
    ],
)
async def test_polls_are_counted(answer: int | FetchError, outcome: str) -> None:
    """Every read of a source counts under how it ended, and what the fetcher said comes through."""
    metrics = Metrics()
    fetches = MeteredFetches(Answers(answer), metrics, "feed")
    with suppress(FetchError):
        await fetches.fetch("https://example.org/")
    counted = {labels for (name, labels), value in measured(metrics).items() if "polls" in name and value}
    assert counted == {("feed", outcome)}


async def test_our_own_error_counts_as_failed() -> None:
    """An exception that nobody foresaw is counted on its way up."""

    class Broken:
        async def fetch(self, url: str, **_: object) -> Fetched:
            raise ZeroDivisionError

    metrics = Metrics()
    with pytest.raises(ZeroDivisionError):
        await MeteredFetches(Broken(), metrics, "document").fetch("https://example.org/")
    assert measured(metrics)["clausewire_polls_total", ("document", "failed")] == 1.0
