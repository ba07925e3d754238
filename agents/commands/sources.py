"""sources: what is watched and how it is doing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import yaml

from agents.check_sources import SourceReport, check_source
from agents.commands import reading, show
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError, Served
from agents.replay import decoded
from agents.serve import fetcher_of
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.history import open_history
from pipeline.adapters.pollstate import PollStates
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.events import DocumentSpec, FeedSpec, PageFetched, PageState
from pipeline.policy.selectors import from_declaration
from pipeline.polling import PollState

sources_app = typer.Typer(help="The documents and feeds that are watched.", no_args_is_help=True)


@sources_app.command("list")
def list_sources(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """List the sources with their health: last read, failures, next attempt."""
    settings = settings_from(config)
    for line in asyncio.run(_healths(settings)):
        typer.echo(line)


async def _healths(settings: Settings) -> list[str]:
    specs: list[DocumentSpec | FeedSpec] = [*settings.documents, *settings.feeds]
    if not (settings.data / "polls.db").exists():
        return [_health(spec, None) for spec in specs]
    async with PollStates(settings.data / "polls.db") as states:
        return [_health(spec, await states.load(spec.id)) for spec in specs]


def _health(spec: DocumentSpec | FeedSpec, state: PollState | None) -> str:
    if state is None:
        return f"never read  {spec.id}  {spec.url}"
    read = f"read {state.read_at:%Y-%m-%d %H:%M}" if state.read_at else "never read"
    due = f", next {state.due_at:%Y-%m-%d %H:%M}" if state.due_at else ""
    moved = f"\n            moved to {state.moved_to}" if state.moved_to else ""
    trouble = (
        f"\n            {state.failures} failures: {state.reason}. {state.remedy}" if state.failures else ""
    )
    return f"{state.health.value:<10}  {spec.id}  {spec.url}  {read}{due}{moved}{trouble}"


@sources_app.command("check")
def check_sources(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """Read each source once and say what would be watched. Exit status 1 when one cannot be."""
    settings = settings_from(config)
    if not asyncio.run(_check_all(settings)):
        raise typer.Exit(1)


async def _check_all(settings: Settings) -> bool:
    specs: list[DocumentSpec | FeedSpec] = [*settings.documents, *settings.feeds]
    async with fetcher_of(settings, SystemClock()) as fetcher, FeedParser() as parser:
        return all([_checked(spec, await check_source(spec, fetcher, parser=parser)) for spec in specs])


def _checked(spec: DocumentSpec | FeedSpec, report: SourceReport) -> bool:
    """Tell what a source would bring; say whether that is anything."""
    if not report.is_good:
        return _told(spec.id, False, f"{report.error}. {report.remedy}")
    moved = f", served from {report.final_url}" if report.final_url != spec.url else ""
    if isinstance(spec, FeedSpec):
        entries = len(report.feed.items) if report.feed else 0
        return _told(spec.id, True, f"{entries} entries{moved}")
    return _read(spec, report, moved)


def _read(spec: DocumentSpec, report: SourceReport, moved: str) -> bool:
    headers = dict(report.headers)
    served = Served(
        body=report.body or b"",
        url=report.final_url,
        status=report.status,
        headers=headers,
        content_type=headers.get("content-type", ""),
        document=spec.name,
    )
    found = reading.read(served, select=spec.select, remove=spec.remove)
    if found.version is None or found.state is not PageState.OK:
        return _told(spec.id, False, f"{found.state.value}: {found.reason}")
    version = found.version
    told = f"{len(version.clauses)} clauses, {len(version.text)} characters, {version.language or 'language unknown'}"
    return _told(spec.id, True, told + moved, *found.notes)


def _told(source_id: str, well: bool, *lines: str) -> bool:
    out = show.console()
    out.print(f"{'ok  ' if well else 'FAIL'}  {source_id}  {lines[0]}", markup=False)
    for line in lines[1:]:
        out.print(f"      note: {line}", markup=False)
    return well


@sources_app.command("accept")
def accept_page(
    document: Annotated[
        str, typer.Argument(help="The id of a document whose page is refused, such as x/terms.")
    ],
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Say that a page refused as truncated, replaced or in another language is the document: begin anew with it.

    Nothing is alerted: the page becomes the version that later ones are compared with.
    """
    with open_history(settings_from(config).broker) as history:
        pages = [
            event
            for event in decoded(history.records("pages.fetched"), decode)
            if isinstance(event, PageFetched) and event.document.id == document and event.body
        ]
        if not pages:
            raise InputError(f"no page of {document} was ever read", remedy="see `clausewire sources list`")
        last = max(pages, key=lambda event: event.fetched_at)
        history.append([msgspec.structs.replace(last, accepted=True, fetched_at=SystemClock().now())])
    typer.echo(f"the page of {last.fetched_at:%Y-%m-%d %H:%M} is accepted as {document}")


@sources_app.command("import-ota")
def import_ota(
    folder: Annotated[Path, typer.Argument(help="A folder of Open Terms Archive declarations (JSON).")],
) -> None:
    """Print the documents of Open Terms Archive declarations as a `documents:` section."""
    documents = [entry for path in sorted(folder.glob("*.json")) for entry in _declared(path)]
    if not documents:
        raise InputError(
            f"{folder} holds no declarations", remedy="name the folder with a JSON file per service"
        )
    typer.echo(yaml.safe_dump({"documents": documents}, sort_keys=False, allow_unicode=True, width=110))


def _declared(path: Path) -> Iterable[dict[str, Any]]:
    try:
        declaration = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", remedy="mend or remove the file") from None
    for found in from_declaration(declaration, service=path.stem):
        entry: dict[str, Any] = {"service": found.service, "name": found.name, "url": found.url}
        entry |= {"select": list(found.select)} if found.select else {}
        yield entry | ({"remove": list(found.remove)} if found.remove else {})
