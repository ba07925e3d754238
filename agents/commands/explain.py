"""explain, clauses: why something was concluded, and what is known of a document's clauses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from agents import explanation
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.pages import AsJson, print_json
from agents.commands.reading import InputError
from agents.recollection import Past
from pipeline.adapters.blobs import BlobValues
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.history import open_history
from pipeline.adapters.tables import DictMemory
from pipeline.adapters.wire import decode
from pipeline.alerts.render.words import one_line
from pipeline.config import Settings
from pipeline.events import Clause, Version
from pipeline.news.names import service_id
from pipeline.policy.identity import Ledger, Record
from pipeline.policy.lifecycle import DocumentState
from pipeline.ports import History

WANTED = "name a change set (chg-…), an alert (alt-…), a clause (c-…), a version (ver-…) or a page (page-…)"


def explain(
    what: Annotated[str, typer.Argument(metavar="ID", help="chg-…, alt-…, c-…, ver-… or page-….")],
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Show the signals, levels and thresholds behind a verdict, a link, a category and a severity."""
    settings = settings_from(config)
    kind = what.partition("-")[0]
    explainers = {"chg": _change_set, "alt": _alert, "c": _clause, "ver": _version, "page": _version}
    if kind not in explainers:
        raise InputError(f"{what} is no id that can be explained", remedy=WANTED)
    with open_history(settings) as history:
        for line in asyncio.run(explainers[kind](_past(settings, history), what)):
            typer.echo(line)


def clauses(
    document: Annotated[str, typer.Argument(help="The id of a document, such as x/privacy-policy.")],
    as_json: AsJson = False,
    gone: Annotated[bool, typer.Option("--gone", help="Clauses too that stand no longer.")] = False,
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """List a document's clauses: first and last seen, versions, changes, moves, lineage, stability."""
    settings = settings_from(config)
    with open_history(settings) as history:
        past = _past(settings, history)
        wanted = _document(past, document)
        found = asyncio.run(past.ledger(past.versions(wanted), DictMemory(DocumentState)))
    if found is None:
        raise InputError(f"{wanted} has no version yet", remedy="see `clausewire topics`, or import pages")
    rows = _rows(*found, gone=gone)
    if as_json:
        print_json([_public(name, record, clause, found[0]) for name, record, clause in rows])
        return
    for line in _listed(rows, found[0]):
        typer.echo(line)


def _past(settings: Settings, history: History) -> Past:
    return Past(history=history, values=BlobValues(blobs_of(settings)), decode=decode)


async def _change_set(past: Past, change_id: str) -> list[str]:
    event = past.change_set(change_id)
    if event is None:
        raise InputError(f"{change_id} is not in history", remedy="see `clausewire alerts` for what is")
    changes = await past.all_changes(event)
    texts = await past.texts(event)
    return list(explanation.change_set(event, changes, past.settled(change_id), texts=texts))


async def _alert(past: Past, alert_id: str) -> list[str]:
    event = past.alert(alert_id)
    if event is None:
        raise InputError(f"{alert_id} is not in history", remedy="see `clausewire alerts` for what is")
    head = f"{event.alert_id}  {event.kind}  {event.severity.value}  {event.title}"
    if past.change_set(event.cause_id) is None:
        told = [f"  {match.watch}: matches at {match.spans}" for match in event.matches]
        return [head, f"  {one_line(event.summary, 400)}", *told]
    return [head, "", *await _change_set(past, event.cause_id)]


async def _version(past: Past, what: str) -> list[str]:
    found = [event for event in past.versions() if what in {event.id, event.page.page_id}]
    if not found:
        raise InputError(
            f"{what} is not in history", remedy="see `clausewire explain` of the change it led to"
        )
    return [
        line for event in {event.id: event for event in found}.values() for line in explanation.version(event)
    ]


async def _clause(past: Past, clause_id: str) -> list[str]:
    found = await _kept(past, clause_id)
    if found is None:
        raise InputError(
            f"{clause_id} is in no document's ledger", remedy="see `clausewire clauses DOCUMENT`"
        )
    document, ledger = found
    lines = [document, *explanation.clause(clause_id, ledger.clauses[clause_id], ledger)]
    for event in past.change_sets():
        if event.document.id == document:
            for change in await past.all_changes(event):
                if change.clause_id == clause_id:
                    lines += ["", f"{event.id}  {event.at:%Y-%m-%d %H:%M}", *explanation.change(change)]
    return lines


async def _kept(past: Past, clause_id: str) -> tuple[str, Ledger] | None:
    """Return the document whose ledger holds a clause, those first that changed it."""
    named = [
        event.document.id
        for event in past.change_sets()
        if any(change.clause_id == clause_id for change in event.changes)
    ]
    for document in dict.fromkeys((*named, *(event.document.id for event in past.versions()))):
        found = await past.ledger(past.versions(document), DictMemory(DocumentState))
        if found and clause_id in found[0].clauses:
            return document, found[0]
    return None


def _document(past: Past, wanted: str) -> str:
    """Return the id of the document that is meant: its id, or “service name” as people write it."""
    known = dict.fromkeys(event.document.id for event in past.versions())
    meant = "/".join(service_id(part) for part in wanted.split("/"))
    names = {
        service_id(f"{event.document.service} {event.document.name}"): event.document.id
        for event in past.versions()
    }
    for name in (wanted, meant, names.get(service_id(wanted), "")):
        if name in known:
            return name
    raise InputError(
        f"no version of {wanted} is in history", remedy=f"known: {', '.join(known) or 'none yet'}"
    )


Row = tuple[str, Record, Clause | None]


def _rows(ledger: Ledger, version: Version, *, gone: bool) -> list[Row]:
    """Return the clauses of the present version in reading order, then those that are gone where wanted."""
    standing = {clause.id: clause for clause in version.clauses}
    rows: list[Row] = [(name, ledger.clauses[name], clause) for name, clause in standing.items()]
    others = [(name, record, None) for name, record in ledger.clauses.items() if name not in standing]
    return [*rows, *(others if gone else [])]


def _listed(rows: Iterable[Row], ledger: Ledger) -> Iterator[str]:
    yield f"{ledger.document_id}: {ledger.versions} versions, {len(ledger.clauses)} clauses ever"
    for name, record, clause in rows:
        yield ""
        yield one_line(f"{clause.number} {clause.text}".strip(), 140) if clause else "(gone)"
        yield from (f"  {line}" for line in explanation.clause(name, record, ledger))


def _public(name: str, record: Record, clause: Clause | None, ledger: Ledger) -> dict[str, object]:
    return {
        "id": name,
        "text": clause.text if clause else None,
        "number": clause.number if clause else "",
        "path": list(clause.path) if clause else [],
        "first_seen": record.first_seen,
        "last_seen": record.last_seen,
        "versions": record.versions,
        "of_versions": ledger.versions,
        "changes": record.changes,
        "moves": record.moves,
        "returns": record.returns,
        "lineage": list(record.lineage),
        "months": round(ledger.months(name), 2),
    }
