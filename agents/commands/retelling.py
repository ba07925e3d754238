"""History told to one subscription by command: what is due, at which rate, and how far it is."""

from __future__ import annotations

import asyncio
import sys
import time

import typer

from agents.commands.reading import InputError
from agents.commands.standing import named, standing
from agents.commands.workforce import STOPPED
from agents.plan import Wanted
from agents.progress import Progress
from agents.register import Ledger, Register, Tally, chosen, register
from agents.retell import KIND_RATE, PER_MINUTE, Retelling
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.wire import decode
from pipeline.alerts import recipients
from pipeline.config import Settings
from pipeline.events import SubscriptionDeclared
from pipeline.ports import ReplayLog


def tell(
    settings: Settings,
    log: ReplayLog,
    topic: str,
    wanted: Wanted,
    name: str,
    *,
    rate: float | None,
    dry_run: bool,
) -> None:
    """Tell a topic of alerts to one subscription, oldest first; stopped, the same command goes on.

    Each recipient of a list is told alone.
    """
    registry = standing(settings)
    one = _switched_on(named(registry, name))
    ledger = Ledger(log=log, decode=decode, subscription_id=one.subscription_id)
    ledger.open()
    found = register(log, topic, wanted, one, decode)
    tally = chosen(found, recipients.reachable(one, registry.apart), ledger)
    per_minute = rate or PER_MINUTE.get(one.channel, KIND_RATE)
    typer.echo(_told(tally, found, one))
    if dry_run or not tally.due:
        return
    retelling = Retelling(
        log=log,
        topic=topic,
        subscription=one,
        found=found,
        ledger=ledger,
        decode=decode,
        clock=SystemClock(),
        per_minute=per_minute,
    )
    _run(retelling, tally)


def _switched_on(one: SubscriptionDeclared) -> SubscriptionDeclared:
    if not one.active:
        raise InputError(
            f"{one.subscription_id} is off: {one.reason or 'it was paused'}",
            remedy=f"clausewire subscriptions resume {one.subscription_id}",
        )
    return one


def _told(tally: Tally, found: Register, one: SubscriptionDeclared) -> str:
    """Return what is due, and what is left out with the reason."""
    left = [
        (tally.sent_before, "sent before"),
        (tally.waiting, "waiting to be told with others"),
        (len(tally.withdrawn), "withdrawn since"),
        (found.refused, "not what it asks for"),
    ]
    out = ", ".join(f"{number} {why}" for number, why in left if number)
    return f"{len(tally.due)} messages are due to {one.subscription_id}" + (
        f"; left out: {out}" if out else ""
    )


def _run(retelling: Retelling, tally: Tally) -> None:
    progress = Progress(what="messages", total=len(tally.due), out=sys.stderr, now=time.monotonic)
    retelling.say = progress.say
    progress.say(f"at most {retelling.per_minute:g} a minute; Ctrl-C stops it, and the same command goes on")
    done = 0

    def how_far() -> int:
        return done

    async def run() -> None:
        nonlocal done
        progress.tell(how_far)
        async for _ in retelling.run(tally.due):
            done += 1
            progress.tell(how_far)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        progress.say(f"stopped after {done} of {len(tally.due)}; the same command goes on")
        raise typer.Exit(STOPPED) from None
    progress.end()
    known = f", {retelling.known} sent long ago" if retelling.known else ""
    typer.echo(f"{retelling.sent} sent, {retelling.refused} not taken{known}")
