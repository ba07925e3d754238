"""Whether the broker answers: the embedded log and who serves it, or Kafka, its id, its topics and its clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from agents.doctor import probes
from agents.doctor.finding import Finding, fail, failed, ok, warn
from agents.doctor.sources import drifted
from pipeline.adapters.embedded.lock import holder
from pipeline.adapters.kafka.admin import Admin, admin_of, replication_of
from pipeline.adapters.kafka.connection import is_kafka
from pipeline.adapters.kafka.logs import quieten
from pipeline.adapters.kafka.probe import ahead
from pipeline.adapters.kafka.start import KNOWN, Kafka, kafka_of
from pipeline.config import Settings
from pipeline.errors import PipelineError
from pipeline.ports import Clock

START = "Start the broker, or check broker:"
MISSING = "is not there"


async def broker(settings: Settings, clock: Clock) -> list[Finding]:
    """Return what is found of the broker."""
    if not is_kafka(settings.broker):
        return [await embedded(Path(unquote(settings.broker.removeprefix("embedded://"))))]
    quieten()
    try:
        cluster = kafka_of(settings)
        async with admin_of(cluster.connection) as admin:
            return await _cluster(admin, cluster, settings, clock)
    except PipelineError as error:
        return [failed(error, START, about=settings.broker)]


async def embedded(path: Path) -> Finding:
    """Return whether the log can be read, and whether it is free or served, and by whom."""
    trouble = await asyncio.to_thread(probes.log_fault, path)
    if trouble:
        return fail(f"{path}: {trouble}", "Keep the file for a report, and start with another data:")
    owner = holder(path)
    return ok(f"{path}: served by process {owner}" if owner else f"{path}: no worker runs")


async def _cluster(admin: Admin, cluster: Kafka, settings: Settings, clock: Clock) -> list[Finding]:
    cluster_id, brokers = await admin.cluster()
    known = identity(cluster_id, settings.data)
    misfits = await cluster.check(admin, replication_of(brokers, settings.kafka.replication))
    answers = ok(
        f"{settings.broker}: cluster {cluster_id}, {brokers} {'broker' if brokers == 1 else 'brokers'}"
    )
    told = topics(misfits, makes=settings.kafka.create_topics)
    return [answers, known, *told, await _clock(admin, cluster, clock)]


def identity(cluster_id: str, data: Path) -> Finding:
    """Return whether a cluster is the one that the data folder belongs to."""
    file = data / KNOWN
    known = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    if not known:
        return ok(f"{data} belongs to no cluster yet: the first start notes this one")
    if known == cluster_id:
        return ok(f"{data} belongs to this cluster")
    return fail(
        f"{data} belongs to the cluster {known}, and this is {cluster_id}",
        f"Point broker: at that cluster or data: at another folder; if the move is meant, delete {file}",
    )


def topics(misfits: Sequence[str], *, makes: bool) -> list[Finding]:
    """Return whether the topics are there and fit; missing ones are no trouble where a start makes them."""
    missing = [fact for fact in misfits if MISSING in fact]
    wrong = [fact for fact in misfits if MISSING not in fact]
    found = [fail(f"topic {fact}", "`clausewire topics check` tells when it fits") for fact in wrong]
    if missing and makes:
        return [*found, ok(f"{len(missing)} topics are not there yet: the first start makes them")]
    if missing:
        return [*found, fail(f"{len(missing)} topics are not there", "clausewire topics create")]
    return found or [ok("every topic is there and fits")]


async def _clock(admin: Admin, cluster: Kafka, clock: Clock) -> Finding:
    try:
        drift = await ahead(admin, cluster.connection, clock=clock, prefix=cluster.settings.prefix)
    except PipelineError as error:
        return warn(
            f"the broker's clock cannot be compared with ours: {error.args[0]}",
            "Let our user create and delete a topic, or see that both machines follow NTP",
        )
    same = ok(f"the broker's clock agrees with ours to {abs(drift).total_seconds():.1f} s")
    return drifted(drift, whose="the broker's") or same
