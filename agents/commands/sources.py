"""sources and subscriptions: what is watched and how it is doing; which endpoints would be accepted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from agents.check_sources import SourceReport, check_source
from agents.commands import reading, show
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.pages import print_json
from agents.commands.reading import InputError, Served
from agents.serve import fetcher_of
from pipeline.adapters import ssrf
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.pollstate import PollStates
from pipeline.config import Settings
from pipeline.events import DocumentSpec, FeedSpec, PageState
from pipeline.policy.selectors import from_declaration
from pipeline.polling import PollState

sources_app = typer.Typer(help="The documents and feeds that are watched.", no_args_is_help=True)
subscriptions_app = typer.Typer(help="Who hears of alerts.", no_args_is_help=True)


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


@subscriptions_app.command("check")
def check_endpoints(
    urls: Annotated[list[str] | None, typer.Argument(help="Webhook endpoints.")] = None,
    batch: Annotated[Path | None, typer.Option(help="A file with one URL a line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per URL.")] = False,
    allow: Annotated[
        list[str] | None, typer.Option(help="Hosts or networks that are meant to be private.")
    ] = None,
) -> None:
    """Say of each endpoint whether it would be accepted, to which addresses it resolves, and why not.

    Nothing is posted. Exit status 1 when one is refused.
    """
    wanted = [*(urls or []), *(_lines(batch) if batch else [])]
    verdicts = asyncio.run(_verdicts(wanted, ssrf.Allow.of(*(allow or []))))
    for verdict in verdicts:
        if as_json:
            print_json(verdict)
        else:
            typer.echo(_line(verdict))
    if not all(verdict["accepted"] for verdict in verdicts):
        raise typer.Exit(1)


async def _verdicts(urls: Iterable[str], allow: ssrf.Allow) -> list[dict[str, Any]]:
    found = [await ssrf.check_url(url, resolve=ssrf.system_resolve, allow=allow) for url in urls]
    return [
        {
            "url": verdict.url,
            "accepted": verdict.accepted,
            "addresses": list(verdict.addresses),
            "reason": verdict.reason,
        }
        for verdict in found
    ]


def _line(verdict: dict[str, Any]) -> str:
    addresses = ", ".join(verdict["addresses"])
    return f"{'accepted' if verdict['accepted'] else 'refused '}  {verdict['url']}  {addresses}  {verdict['reason']}"


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}", remedy="name a UTF-8 file with one URL a line") from None
