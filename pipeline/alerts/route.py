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

READERS = ("change", "story")  # what a route is told that asks for no kind: trouble of sources is for operators
RANK = {severity: severity.rank for severity in Severity}


class Decision(Value, frozen=True, kw_only=True):
    """Whether a subscription is told, and why or why not, in words for a reader."""

    subscription_id: str
    deliver: bool
    reason: str


class Traits(Value, frozen=True, kw_only=True):
    """What an alert can be chosen by; names are casefolded, once for all subscriptions."""

    severity: Severity
    kind: str
    services: frozenset[str]
    documents: frozenset[str]
    categories: frozenset[str]
    watches: frozenset[str]
    languages: frozenset[str]


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
        kind=alert.kind,
        services=_folded(
            (alert.service, document.service if document else "", *(story.services if story else ()))
        ),
        documents=_folded((document.id, document.name, *document.aliases) if document else ()),
        categories=_folded(alert.categories),
        watches=_folded(name for match in alert.matches for name in (match.watch_id, match.watch)),
        languages=_folded((alert.language, alert.language.partition("-")[0])),
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _decision(traits: Traits, subscription: SubscriptionDeclared) -> Decision:
    refusal = _refusal(traits, subscription)
    return Decision(
        subscription_id=subscription.subscription_id,
        deliver=not refusal,
        reason=refusal or _grounds(traits, subscription.filters),
    )


def _refusal(traits: Traits, subscription: SubscriptionDeclared) -> str:
    """Return why the subscription is not told, empty when it is; cheapest question first."""
    filters = subscription.filters
    if not subscription.active:
        return (
            f"the subscription is off: {subscription.reason}"
            if subscription.reason
            else "the subscription is off"
        )
    if RANK[traits.severity] < RANK[filters.min_severity]:
        return f"severity {traits.severity} is under the route's {filters.min_severity}"
    return (
        _missed("kind", filters.kinds or READERS, frozenset((traits.kind,)))
        or _missed("service", filters.services, traits.services)
        or _missed("document", filters.documents, traits.documents)
        or _missed("category", filters.categories, traits.categories)
        or _missed("watch", filters.watches, traits.watches)
        # an alert whose language nobody could tell is told, not hidden
        or (_missed("language", filters.languages, traits.languages) if traits.languages else "")
    )


def _missed(what: str, wanted: Sequence[str], had: frozenset[str]) -> str:
    if not wanted or any(name.casefold() in had for name in wanted):
        return ""
    told = ", ".join(sorted(had)) if had else "none"
    return f"{what} {told} is not among the route's {', '.join(wanted)}"


def _grounds(traits: Traits, filters: Filters) -> str:
    """Return why the subscription is told, naming each filter that the alert passed."""
    passed = [
        f"{what} {_hit(wanted, had)}"
        for what, wanted, had in (
            ("service", filters.services, traits.services),
            ("document", filters.documents, traits.documents),
            ("category", filters.categories, traits.categories),
            ("watch", filters.watches, traits.watches),
            ("language", filters.languages, traits.languages),
            ("kind", filters.kinds, frozenset((traits.kind,))),
        )
        if wanted
    ]
    if filters.min_severity is not Severity.INFO:
        passed.append(f"severity {traits.severity} reaches {filters.min_severity}")
    return f"the route asks for {'; '.join(passed)}" if passed else "the route asks for every alert"


def _hit(wanted: Sequence[str], had: frozenset[str]) -> str:
    return ", ".join(name for name in wanted if name.casefold() in had) or "not known"
