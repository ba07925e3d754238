"""Alerts to tell: one a reader would know, hostile ones, and random ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    BodyRef,
    Change,
    ChangeType,
    Channel,
    Coverage,
    DeliveryDue,
    DocumentSpec,
    Evidence,
    Fact,
    Filters,
    Match,
    PageRef,
    Severity,
    Span,
    SubscriptionDeclared,
)

SEEN = datetime(2024, 10, 17, 9, 4, tzinfo=UTC)
DOCUMENT = DocumentSpec(id="x-privacy", service="X", name="Privacy Policy", url="https://x.example/privacy")
COLLABORATORS = (
    "Depending on your settings, or if you decide to share your data, we may share or disclose your "
    "information with third parties."
)
HOSTILE = (
    "<script>alert(1)</script>",
    "@channel read this",
    "<!here> <!channel> <!everyone>",
    "<https://evil.example|click> <@U123> <#C123>",
    "**bold** _it_ ~no~ `code` [a](https://evil.example) # head",
    "one\r\nBcc: victim@evil.example\r\n\r\nbody",
    "word " * 12_000,
    "x" * 60_000,
    "👩‍👩‍👧‍👦🏳️‍🌈 family 🇺🇦",
    "סעיף חדש \u202egnp.exe\u202c العربية",
    "a\x00b\x1b[31mred\x07\x9b",
    "\ud83d half",
    '"{{ 7 * 7 }}" {% raw %} \\ \\u0041',
    "&lt;b&gt; &amp; ]]>",
)


def page(at: datetime = SEEN) -> PageRef:
    body = BodyRef(sha256="ab" * 32, size=12_345, media_type="text/html")
    return PageRef(page_id="page-1", url=DOCUMENT.url, final_url=DOCUMENT.url, fetched_at=at, body=body)


def change(text: str = COLLABORATORS, **also: Any) -> Change:
    values: dict[str, Any] = {
        "type": ChangeType.ADDED,
        "clause_id": "clause-1",
        "heading_path": ("3. Sharing", "3.2 Third-party collaborators"),
        "new": Span(text=text, start=10, end=10 + len(text)),
        "redline": (("+", text),),
        "category": "sharing",
        "severity": Severity.HIGH,
        "score": 9.0,
    }
    return Change(**(values | also))


def reworded(old: str, new: str, **also: Any) -> Change:
    redline = (("=", "We keep your data for "), ("-", old), ("+", new), ("=", " after you leave."))
    return change(
        type=ChangeType.MODIFIED,
        redline=redline,
        **({"heading_path": ("4. Retention",), "severity": Severity.MEDIUM, "score": 3.0} | also),
    )


def alert(*changes: Change, **also: Any) -> AlertRaised:
    values: dict[str, Any] = {
        "alert_id": "alt-aaaa",
        "kind": "change",
        "raised_at": SEEN,
        "title": "X changes its Privacy Policy",
        "summary": "X may now share your data with collaborators, who may train AI with it.",
        "severity": Severity.HIGH,
        "service": "X",
        "document": DOCUMENT,
        "categories": ("sharing",),
        "changes": changes or (change(), reworded("90 days", "18 months")),
        "effective_date": "2024-11-15",
        "evidence": Evidence(new=page(), old=page(SEEN - timedelta(days=84))),
        "language": "en",
    }
    return AlertRaised(**(values | also))


def story(title: str = "X lets others train AI", **also: Any) -> Coverage:
    values = {"story_id": "s-1", "title": title, "outlet": "Example Times", "url": "https://news.example/1"}
    return Coverage(**(values | also))


def updated(how: str = "confirmed", alert_id: str = "alt-aaaa", **also: Any) -> AlertUpdated:
    values = {
        "alert_id": alert_id,
        "updated_at": SEEN + timedelta(hours=1),
        "how": how,
        "cause_id": f"c-{how}",
    }
    return AlertUpdated(**(values | also))


def withdrawn(reason: str = "the page went back", alert_id: str = "alt-aaaa") -> AlertWithdrawn:
    at = SEEN + timedelta(hours=2)
    return AlertWithdrawn(alert_id=alert_id, withdrawn_at=at, reason=reason, cause_id="c-w")


def due(told: Any = None, delivery_id: str = "dlv-1", **also: Any) -> DeliveryDue:
    told = told or alert()
    kind = {AlertRaised: "alert", AlertUpdated: "update", AlertWithdrawn: "withdrawal"}[type(told)]
    values = {"subscription_id": "sub-1", "thread": "x-privacy", "due_at": SEEN, kind: told}
    return DeliveryDue(delivery_id=delivery_id, **(values | also))


def member(told: Any, **also: Any) -> DeliveryDue:
    """One of a gathered message's deliveries, as it would have been told alone."""
    about = told.alert_id if isinstance(told, AlertRaised) else also.get("alert", told).alert_id
    return due(told, delivery_id=f"dlv-{about}-{type(told).__name__}", **also)


def alert_of(
    service: str, name: str = "Terms", severity: Severity = Severity.MEDIUM, **also: Any
) -> AlertRaised:
    """An alert of another document, told by one reworded clause."""
    identity = f"{service}-{name}".casefold().replace(" ", "-")
    document = DocumentSpec(id=identity, service=service, name=name, url=f"https://example.org/{identity}")
    values: dict[str, Any] = {
        "alert_id": f"alt-{identity}"[:60],
        "document": document,
        "service": service,
        "severity": severity,
        "title": f"{service} rewords a clause in its {name}",
        "summary": f"{service} changed a clause in its {name}.",
        "effective_date": None,
    }
    values["changes"] = (reworded("30 days", "a year", severity=severity),)
    return alert(**(values | also))


def group(*members: DeliveryDue, **also: Any) -> DeliveryDue:
    """A message about all documents of a company that changed together."""
    values = {"delivery_id": "dlv-group", "subscription_id": "sub-1", "thread": "group:x", "due_at": SEEN}
    return DeliveryDue(**(values | {"gathered": "group", "members": members} | also))


def digest(*members: DeliveryDue, period: str = "daily", **also: Any) -> DeliveryDue:
    """A message about all of a day, or of a week."""
    values = {"delivery_id": "dlv-digest", "thread": "digest", "gathered": "digest", "period": period}
    return group(*members, **(values | also))


def subscription(name: str = "sub-1", *, active: bool = True, **filters: Any) -> SubscriptionDeclared:
    return SubscriptionDeclared(
        subscription_id=name,
        name=name,
        channel=Channel.WEBHOOK,
        declared_at=SEEN,
        filters=Filters(**filters),
        active=active,
        reason="" if active else "paused by its owner",
    )


def hostile(text: str) -> AlertRaised:
    """An alert in which every word that comes from outside is the given text."""
    return alert(
        change(text, heading_path=(text, text), number=text, facts=(Fact(kind=text, note=text),)),
        reworded(text, text, number=text),
        title=text,
        summary=text,
        service=text,
        document=msgspec.structs.replace(DOCUMENT, service=text, name=text),
        effective_date=text,
        coverage=(story(text, outlet=text, url=f"https://news.example/{text[:50]}"), story(text, url=text)),
        matches=(Match(watch_id="w", watch=text),),
    )


# --- random ones ------------------------------------------------------------------------------------------

words = st.text(max_size=60)
long_words = st.one_of(
    words, st.text(max_size=60).map(lambda text: (text + " ") * 300), st.sampled_from(HOSTILE)
)
redlines = st.lists(st.tuples(st.sampled_from(("=", "-", "+")), long_words.filter(bool)), max_size=12).map(
    tuple
)
changes = st.builds(
    Change,
    type=st.sampled_from(ChangeType),
    clause_id=words,
    heading_path=st.lists(long_words, max_size=3).map(tuple),
    number=words,
    redline=redlines,
    new=st.none() | st.builds(Span, text=long_words, start=st.just(0), end=st.just(9)),
    severity=st.sampled_from(Severity),
    score=st.floats(0, 10),
    facts=st.lists(st.builds(Fact, kind=words, note=words), max_size=3).map(tuple),
)
coverages = st.builds(
    Coverage, story_id=words, title=long_words, outlet=words, url=words, more_outlets=st.integers(0, 9)
)
alerts = st.builds(
    alert,
    st.shared(changes, key="first"),
    title=long_words,
    summary=long_words,
    severity=st.sampled_from(Severity),
    kind=st.sampled_from(("change", "story", "health")),
    changes=st.lists(changes, max_size=40).map(tuple),
    coverage=st.lists(coverages, max_size=8).map(tuple),
    confirmed=st.booleans(),
    stacked=st.booleans(),
)
