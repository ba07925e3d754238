"""evidence: an alert's proof as a folder to hand on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents import bundle
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.dossier import Dossier, Exhibit, dossier, exhibits
from agents.replay import decoded
from pipeline.adapters.blobs import BlobValues
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.events import (
    AlertAcknowledged,
    AlertRaised,
    BodyRef,
    ClausesChanged,
    Event,
    PageState,
    VersionRecorded,
)
from pipeline.ports import History


class InHistory:
    """Finds what lies behind alerts by reading the topics: for a command, which asks once."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def alert(self, alert_id: str) -> AlertRaised | None:
        """Return an alert, None where there is none."""
        found = (event for event in self._of(alert_id) if isinstance(event, AlertRaised))
        return next(found, None)

    async def sequels(self, alert_id: str) -> Sequence[Event]:
        """Return what became known of an alert, and who acknowledged it, each once, in the order of time."""
        known = [event for event in self._of(alert_id) if not isinstance(event, AlertRaised)]
        known += [
            event
            for event in decoded(self._history.records("deliveries"), decode)
            if isinstance(event, AlertAcknowledged) and event.alert_id == alert_id
        ]
        return sorted({event.id: event for event in known}.values(), key=lambda event: event.at)

    async def change_set(self, change_id: str) -> ClausesChanged | None:
        """Return a change set, None where there is none."""
        found = decoded(self._history.records("clauses.changed"), decode)
        return next((one for one in found if isinstance(one, ClausesChanged) and one.id == change_id), None)

    async def version(self, document_id: str, fingerprint: str, page_id: str) -> BodyRef | None:
        """Return where a version lies: that of a page, else one that says the same."""
        found = decoded(self._history.records("versions.recorded"), decode)
        same = [
            event
            for event in found
            if isinstance(event, VersionRecorded)
            and (event.document.id, event.fingerprint) == (document_id, fingerprint)
            and event.state is PageState.OK
        ]
        of_page = [event.version for event in same if event.page.page_id == page_id and event.version]
        return next(iter([*of_page, *(event.version for event in same if event.version)]), None)

    def _of(self, alert_id: str) -> list[Event]:
        key = alert_id.encode("utf-8", "replace")
        records = (record for record in self._history.records("alerts.raised") if record.key == key)
        return list(decoded(records, decode))


def evidence(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="An alert's id, alt-….")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Write an alert's redline, evidence, pages and records into a folder, with the SHA-256 of each file.

    Exit status 1 when something does not check out: changed bytes, a quote not found, changes that are gone.
    """
    settings = settings_from(config)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already, and not empty", remedy="Name a folder that is not")
    found, shown = asyncio.run(_gathered(settings, alert))
    made = bundle.files(found, shown, SystemClock().now())
    out.mkdir(parents=True, exist_ok=True)
    for name, body in made.items():
        (out / name).write_bytes(body)
    typer.echo(f"{len(made)} files in {out}; check them with `sha256sum --check {bundle.SUMS}`")
    for line in _told(shown):
        typer.echo(line)
    if found.missing:
        typer.echo(f"{found.missing} more counted and no longer in the store: changes that cannot be checked")
    if found.missing or not all(map(_holds, shown)):
        raise typer.Exit(1)


async def _gathered(settings: Settings, alert_id: str) -> tuple[Dossier, tuple[Exhibit, ...]]:
    blobs = blobs_of(settings)
    with open_history(settings) as history:
        found = await dossier(InHistory(history), BlobValues(blobs), alert_id)
    if found is None:
        raise InputError(f"there is no alert {alert_id}", remedy="see `clausewire alerts` for what is")
    return found, await exhibits(found, blobs)


def _told(shown: Sequence[Exhibit]) -> list[str]:
    return [
        f"{one.side.name}  {one.side.page.body.sha256}  {'intact' if one.body is not None else one.fault}  "
        f"{one.stand} of {len(one.quoted)} quotes at their offsets, "
        f"{one.served} in the bytes"
        for one in shown
    ]


def _holds(one: Exhibit) -> bool:
    return one.body is not None and all(proof.holds for proof in one.quoted)
