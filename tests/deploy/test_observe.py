"""The board and the alert rules ask only for what is measured, in words that are said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.adapters.metrics import ALERTS, DELIVERED, HANDLED, METRICS, POLLED, SOURCES
from pipeline.events import Channel, Severity
from pipeline.polling import Health

FOLDER = Path(__file__).parents[2] / "deploy" / "observe"
BOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text())
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]

SERIES = {series: metric for metric in METRICS for series in metric.series}
WORDS = {
    ("events_total", "outcome"): set(HANDLED),
    ("polls_total", "outcome"): {str(word) for word in POLLED},
    ("polls_total", "kind"): set(SOURCES),
    ("deliveries_total", "outcome"): set(DELIVERED),
    ("deliveries_total", "channel"): {*map(str, Channel), "none"},
    ("alerts_total", "told"): {"raised", "updated", "withdrawn"},
    ("alerts_total", "kind"): set(ALERTS),
    ("alerts_total", "severity"): {str(word) for word in Severity},
    ("sources", "health"): {str(word) for word in Health},
}
ADDED = {"job", "instance"}  # by Prometheus itself


def queries() -> Iterator[tuple[str, str]]:
    """Yield each query with where it stands; the board's variables stand for what Grafana puts in."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*")
            yield f"{panel['title']} {target['refId']}", expr


QUERIES = dict(queries())
ASKED = pytest.mark.parametrize("expr", QUERIES.values(), ids=QUERIES.keys())


@ASKED
def test_only_listed_series_are_asked_for(expr: str) -> None:
    """Every series that a query names is on the closed list of metrics, and every query names one."""
    named = set(re.findall(r"\bclausewire_\w+", expr))
    assert named
    assert named <= set(SERIES)


@ASKED
def test_labels_exist(expr: str) -> None:
    """A query matches a series by labels that it has, and by words that are said."""
    for series, matchers in re.findall(r"\b(clausewire_\w+)\{([^}]*)\}", expr):
        metric = SERIES[series]
        for label, words in re.findall(r'(\w+)\s*[!=]=?~?\s*"([^"]*)"', matchers):
            assert label in {*metric.labels, *ADDED}
            known = WORDS.get((metric.name, label))
            assert known is None or set(words.split("|")) <= known


@ASKED
def test_grouping_labels_exist(expr: str) -> None:
    """What a query groups by is a label of what it asks for."""
    labels = {label for series in re.findall(r"\bclausewire_\w+", expr) for label in SERIES[series].labels}
    grouped = {label for by in re.findall(r"\bby \(([^)]*)\)", expr) for label in by.split(", ")}
    assert grouped <= labels | ADDED | {"le"}


@ASKED
def test_query_is_promql(expr: str) -> None:
    """Prometheus' own grammar takes the query."""
    promql = pytest.importorskip("promql_parser", reason="promql-parser is not installed")
    assert promql.parse(expr)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_rules_say_what_to_do(rule: dict[str, Any]) -> None:
    """An alert has a severity, a summary and a description with a remedy; its texts use labels that it has."""
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    grouped = {label for by in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for label in by.split(", ")}
    assert used <= grouped


def test_what_must_be_watched_is() -> None:
    """There are rules for lag, rejected events, failing deliveries, sick sources and the pollers' heartbeat."""
    wanted = {"Lag", "Rejected", "DeliveriesFailing", "SourcesUnhealthy", "NoPolls", "NotReady", "Absent"}
    assert {f"Clausewire{name}" for name in wanted} <= {rule["alert"] for rule in RULES}


def test_board_shows_every_metric() -> None:
    """Nothing is measured that nobody can see."""
    shown = {SERIES[name].name for expr in QUERIES.values() for name in re.findall(r"\bclausewire_\w+", expr)}
    assert shown == {metric.name for metric in METRICS}


def test_panels_do_not_overlap() -> None:
    """Each panel has its own place on a board of 24 columns, an id of its own, and says what it shows."""
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(panel["description"].endswith(".") for panel in BOARD["panels"])


def test_commands_in_rules_exist() -> None:
    """The commands that an alert tells people to run are commands of ours."""
    from typer.main import get_command

    from agents.__main__ import app

    told = " ".join(text for rule in RULES for text in rule["annotations"].values())
    for words in re.findall(r"`clausewire ([a-z -]+)`", told):
        command: Any = get_command(app)
        for word in words.split():
            command = command.get_command(None, word)
            assert command, f"clausewire {words}"
