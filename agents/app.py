"""The wiring, on one screen: topics, steps, what they remember, what runs beside them."""

from __future__ import annotations

from dataclasses import dataclass

from agents.declare import Declared, keep_source
from agents.detect_changes import detect_changes
from agents.extract_versions import ReadingState, extract_versions
from agents.gather import gather
from agents.link_coverage import link_coverage
from agents.match_stories import Desk, match_stories
from agents.notify import Notifiers, Pump, Waits, at_once, keep_outbox
from agents.program import Program
from agents.raise_alerts import raise_alerts, raise_story_alerts
from agents.remind import keep_reminder, ring
from agents.route_alerts import RoutedState, Silences, Subscriptions, no_silences, route_alerts
from agents.switch_off import Find, among, switch_off
from agents.touch_services import touch_changed, touch_reported
from pipeline import events as e
from pipeline.adapters.blobs import BlobValues
from pipeline.adapters.tables import TableMemory
from pipeline.alerts.alert import AlertingState, StoryState
from pipeline.alerts.gather import Gathering
from pipeline.alerts.health import Health
from pipeline.alerts.outbox import Outbox
from pipeline.news.correlate import Ledger
from pipeline.news.story import StoryBook
from pipeline.policy.lifecycle import DocumentState
from pipeline.ports import Blobs, Rewrites
from pipeline.tenure import Tenure


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the agents work with, as this deployment has it."""

    blobs: Blobs
    desk: Desk
    declared: Declared
    subscriptions: Subscriptions
    notifiers: Notifiers
    rewrites: Rewrites | None = None
    silences: Silences = no_silences
    waits: Waits = at_once
    find: Find | None = None
    tenure: Tenure | None = None


def wire(p: Program, w: World) -> TableMemory[e.SourceDeclared]:
    """Join all topics and steps in one program; returns the memory of the declared sources."""
    sources = wire_sources(p, w.declared)
    wire_agents(p, w)
    return sources


def wire_sources(p: Program, declared: Declared) -> TableMemory[e.SourceDeclared]:
    """Join what the pollers need to know; returns the memory of the declared sources."""
    sources = p.memory("sources_declared", "sources", e.SourceDeclared)
    p.agent("sources", keep_source, e.SourceDeclared, memory=sources, declared=declared)
    return sources


def wire_agents(p: Program, w: World) -> None:
    """Join topics and steps. Each agent is a line: its topic, its step, the events it takes, what it is given."""
    wire_policies(p, w)
    wire_news(p, w)
    wire_alerts(p, w)
    wire_deliveries(p, w)


def wire_policies(p: Program, w: World) -> None:
    """Join what leads from a page to an alert about it."""
    values = BlobValues(w.blobs)
    reading = p.memory("reading", "pages.fetched", ReadingState)
    known = p.memory("documents", "versions.recorded", DocumentState)
    alerting = p.memory("alerting", "clauses.changed", AlertingState)

    p.agent("pages.fetched", extract_versions, e.PageFetched, memory=reading, blobs=w.blobs, values=values)
    p.agent(
        "versions.recorded",
        detect_changes,
        e.VersionRecorded,
        memory=known,
        values=values,
        rewrites=w.rewrites,
    )
    p.agent(
        "clauses.changed", raise_alerts, e.ClausesChanged, e.ChangeSettled, memory=alerting, values=values
    )
    p.agent("clauses.changed", touch_changed, e.ClausesChanged)


def wire_news(p: Program, w: World) -> None:
    """Join what leads from a feed to a story, to an alert about it, and to the changes that it reports."""
    stories = p.memory("stories", "feeds.fetched", StoryBook)
    told = p.memory("told_stories", "stories.updated", StoryState)
    joined = p.memory("services", "services.touched", Ledger)

    p.agent("feeds.fetched", match_stories, e.FeedFetched, memory=stories, desk=w.desk, abreast=1)
    p.agent("stories.updated", raise_story_alerts, e.StoryUpdated, memory=told)
    p.agent("stories.updated", touch_reported, e.StoryUpdated)
    p.agent("services.touched", link_coverage, e.ServiceTouched, memory=joined)


def wire_alerts(p: Program, w: World) -> None:
    """Join what leads from an alert to the deliveries that are due of it, at once or together with others."""
    routed = p.memory("routed", "alerts.raised", RoutedState)
    gatherings = p.memory("gathered", "gatherings", Gathering)
    calendar = p.memory("calendar", "reminders", e.ReminderSet)

    p.agent(
        "alerts.raised",
        route_alerts,
        e.AlertRaised,
        e.AlertUpdated,
        e.AlertWithdrawn,
        memory=routed,
        subscriptions=w.subscriptions,
        silences=w.silences,
    )
    p.agent(
        "gatherings",
        gather,
        e.DeliveryGathered,
        e.GatheringDue,
        e.GatheringClosed,
        memory=gatherings,
        clock=p.clock,
        silences=w.silences,
    )
    p.agent("reminders", keep_reminder, e.ReminderSet, memory=calendar)
    p.beside(ring, reminders=calendar, log=p.log, clock=p.clock)


def wire_deliveries(p: Program, w: World) -> None:
    """Join what leads from a delivery due to a message sent, and to a destination that takes none switched off."""
    outboxes = p.memory("outboxes", "outbox", Outbox)
    healths = p.memory("health", "destinations", Health)
    pump = Pump(
        outboxes=outboxes,
        notifiers=w.notifiers,
        log=p.log,
        clock=p.clock,
        is_counted_on=p.is_counted_on,
        meter=p.meter,
        tracer=p.tracer,
        waits=w.waits,
        tenure=w.tenure,
    )
    if w.tenure:
        w.tenure.follow(p.is_counted_on)

    p.agent("outbox", keep_outbox, e.DeliveryDue, e.DeliveryAttempted, memory=outboxes, pump=pump)
    p.agent(
        "destinations",
        switch_off,
        e.DeliveryAttempted,
        memory=healths,
        find=w.find or among(w.subscriptions),
        subscriptions=w.subscriptions,
    )
    p.beside(pump.run)
    p.holds(pump, "outbox")
