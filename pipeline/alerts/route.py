"""Who hears of an alert: every subscription gets a yes or a no, and the reason for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    DeliveryDue,
    Filters,
    Severity,
    SubscriptionDeclared,
    Value,
    derived_id,
)

READERS = (
    "change",
    "story",
)  # what a route is told that asks for no kind: trouble of sources is for operators
RANK = {severity: severity.rank for severity in Severity}


class Decision(Value, frozen=True, kw_only=True):
    """Whether a subscription is told, and why or why not, in words for a reader."""

    subscription_id: str
    deliver: bool
    reason: str


class Traits(Value, frozen=True, kw_only=True):
    """What an alert can be chosen by; names are casefolded, once for all subscriptions."""

    severity: Severity
    kind: frozenset[str]
    service: frozenset[str]
    document: frozenset[str]
    category: frozenset[str]
    watch: frozenset[str]
    language: frozenset[str]


def routes(alert: AlertRaised, subscriptions: Sequence[SubscriptionDeclared]) -> tuple[Decision, ...]:
    """Return one decision per subscription, in their order."""
    traits = _traits(alert)
    return tuple([_decision(traits, subscription) for subscription in subscriptions])


def delivery_id(told_id: str, subscription_id: str) -> str:
    """Return the identity of telling one alert, update or withdrawal to one subscription."""
    return derived_id("dlv", told_id, subscription_id)


def delivery(
    alert: AlertRaised,
    decision: Decision,
    *,
    due_at: datetime,
    update: AlertUpdated | None = None,
    withdrawal: AlertWithdrawn | None = None,
) -> DeliveryDue:
    """Return what is to be sent for a decision: the alert, or an update or withdrawal of it."""
    told = withdrawal or update or alert
    return DeliveryDue(
        delivery_id=delivery_id(told.id, decision.subscription_id),
        subscription_id=decision.subscription_id,
        thread=alert.thread,
        due_at=due_at,
        reason=decision.reason,
        alert=alert,
        update=update,
        withdrawal=withdrawal,
    )


def _traits(alert: AlertRaised) -> Traits:
    document = alert.document
    story = alert.story
    return Traits(
        severity=alert.severity,
        kind=frozenset((alert.kind,)),
        service=_folded(
            (alert.service, document.service if document else "", *(story.services if story else ()))
        ),
        document=_folded((document.id, document.name, *document.aliases) if document else ()),
        category=_folded(alert.categories),
        watch=_folded(name for match in alert.matches for name in (match.watch_id, match.watch)),
        language=_folded((alert.language, alert.language.partition("-")[0])),
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _decision(traits: Traits, subscription: SubscriptionDeclared) -> Decision:
    filters = subscription.filters
    refusal = _off(subscription) or _too_low(traits.severity, filters.min_severity)
    if refusal:
        return Decision(subscription_id=subscription.subscription_id, deliver=False, reason=refusal)
    deliver, reason = _filtered(traits, filters)
    return Decision(subscription_id=subscription.subscription_id, deliver=deliver, reason=reason)


def _off(subscription: SubscriptionDeclared) -> str:
    if subscription.active:
        return ""
    return (
        f"the subscription is off: {subscription.reason}"
        if subscription.reason
        else "the subscription is off"
    )


def _too_low(severity: Severity, least: Severity) -> str:
    if least is Severity.INFO or RANK[severity] >= RANK[least]:
        return ""
    return f"severity {severity.value} is under the route's {least.value}"


def _filtered(traits: Traits, filters: Filters) -> tuple[bool, str]:
    """Return whether an alert passes every filter, and which it passed or the first that it did not."""
    passed: list[str] = []
    for what, wanted, had in (
        ("kind", filters.kinds, traits.kind),
        ("service", filters.services, traits.service),
        ("document", filters.documents, traits.document),
        ("category", filters.categories, traits.category),
        ("watch", filters.watches, traits.watch),
        ("language", filters.languages, traits.language),
    ):
        if wanted:
            hits = [name for name in wanted if name.casefold() in had]
            if not hits and (had or what != "language"):  # whose language nobody could tell is not hidden
                return False, _missed(what, wanted, had)
            passed.append(f"{what} {', '.join(hits) or 'not known'}")
    if filters.min_severity is not Severity.INFO:
        passed.append(f"severity {traits.severity.value} reaches {filters.min_severity.value}")
    return True, f"the route asks for {'; '.join(passed)}" if passed else "the route asks for every alert"


def _missed(what: str, wanted: Sequence[str], had: frozenset[str]) -> str:
    told = ", ".join(sorted(had)) if had else "none"
    return f"{what} {told} is not among the route's {', '.join(wanted)}"
