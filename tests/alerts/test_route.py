"""Every subscription gets a yes or a no, with its reason."""

from typing import Any

import pytest

from pipeline.alerts.route import delivery, delivery_id, routes
from pipeline.events import Match, Severity, SubscriptionDeclared
from tests.alerts.samples import SEEN, alert, subscription, updated


def decide(subscribed: SubscriptionDeclared, **also: Any) -> tuple[bool, str]:
    (decision,) = routes(alert(**also), [subscribed])
    return decision.deliver, decision.reason


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"services": ("x",)},
        {"documents": ("privacy policy",)},
        {"documents": ("x-privacy",)},
        {"categories": ("retention", "Sharing")},
        {"kinds": ("change",)},
        {"languages": ("EN",)},
        {"min_severity": Severity.HIGH},
        {"services": ("X",), "categories": ("sharing",), "min_severity": Severity.LOW},
    ],
)
def test_wanted_is_told(filters: dict[str, Any]) -> None:
    """An alert that passes every filter is delivered; names compare without case."""
    assert decide(subscription(**filters))[0]


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"services": ("Y",)}, "service x is not among the route's Y"),
        ({"documents": ("Terms",)}, "document privacy policy, x-privacy is not among the route's Terms"),
        ({"categories": ("arbitration",)}, "category sharing is not among the route's arbitration"),
        ({"watches": ("AI training",)}, "watch none is not among the route's AI training"),
        ({"kinds": ("story", "health")}, "kind change is not among the route's story, health"),
        ({"languages": ("de",)}, "language en is not among the route's de"),
        ({"min_severity": Severity.CRITICAL}, "severity high is under the route's critical"),
    ],
)
def test_unwanted_says_why(filters: dict[str, Any], reason: str) -> None:
    """An alert that fails a filter is not delivered, and the reason names both sides."""
    assert decide(subscription(**filters)) == (False, reason)


def test_paused_is_silent() -> None:
    """A subscription that is off gets nothing, whatever its filters say."""
    assert decide(subscription(active=False)) == (False, "the subscription is off: paused by its owner")


def test_yes_has_reason() -> None:
    """A yes names the filters that the alert passed."""
    wanted = subscription(services=("X", "Y"), min_severity=Severity.MEDIUM)
    assert decide(wanted)[1] == "the route asks for service X; severity high reaches medium"


def test_watch_matches() -> None:
    """A watch is met by its id or its name."""
    match = (Match(watch_id="w-1", watch="AI training"),)
    assert decide(subscription(watches=("ai TRAINING",)), matches=match)[0]


def test_unknown_language_is_told() -> None:
    """An alert whose language nobody could tell is told rather than hidden."""
    assert decide(subscription(languages=("de",)), language="")[0]


def test_regional_language_matches() -> None:
    """A route for pt gets pt-BR."""
    assert decide(subscription(languages=("pt",)), language="pt-BR")[0]


def test_same_delivery_same_id() -> None:
    """What is told and the destination give the delivery's id; an update has one of its own."""
    (decision,) = routes(alert(), [subscription()])
    first, again = (delivery(alert(), decision, due_at=SEEN) for _ in range(2))
    told = delivery(alert(), decision, due_at=SEEN, update=updated())
    assert first.delivery_id == again.delivery_id == delivery_id("alt-aaaa", "sub-1") != told.delivery_id
