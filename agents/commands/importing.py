"""import: pages of the past put into history with their own times."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from agents.archive import Intake, batches, dated_files, folder_pages
from agents.commands import show
from agents.commands.deployment import ConfigFile, settings_from
from agents.replay import decoded
from pipeline.adapters.archives import Archived, ArchiveError
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.gitpages import GitPages, is_repository
from pipeline.adapters.history import open_history
from pipeline.adapters.warc import address, warc_files, warc_pages
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.events import DocumentSpec
from pipeline.news.names import service_id


def import_pages(
    archive: Annotated[
        Path,
        typer.Argument(
            help="A folder of dated pages, a clone of an Open Terms Archive repository, or WARC files."
        ),
    ],
    service: Annotated[str, typer.Option(help="The service, such as X.")] = "",
    document: Annotated[str, typer.Option(help="The document, such as “Privacy Policy”.")] = "",
    url: Annotated[str, typer.Option(help="Where the document stands, if it is not configured.")] = "",
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Put pages of the past into history with their own times. Nothing is delivered.

    From a repository or WARC files without --service and --document, all documents of it (a repository) or all
    configured ones (WARC) are taken. What is there already is passed over, so that an import can be run again.
    """
    settings = settings_from(config)
    with (
        _opened(archive, settings, service, document, url) as pages,
        open_history(settings, create=True) as log,
    ):
        intake = Intake.over(decoded(log.records("pages.fetched"), decode), blobs_of(settings))
        with Progress(console=show.console(error=True), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("pages", total=len(pages))
            for batch in batches(pages):
                log.append(asyncio.run(intake.take(batch)))
                bar.advance(task, len(batch))
    typer.echo(_told(intake, pages))


def _told(intake: Intake, pages: list[Archived]) -> str:
    specs = {page.document.id: page.document for page in pages}
    one = next(iter(specs.values()), None)
    what = f"{one.service} {one.name}" if one and len(specs) == 1 else f"{len(specs)} documents"
    told = f"{intake.added} pages of {what} put into history, {intake.there} were there already"
    late = f"; {intake.late} left out: history holds later pages of their documents" if intake.late else ""
    return told + late


@contextmanager
def _opened(
    archive: Path, settings: Settings, service: str, document: str, url: str
) -> Iterator[list[Archived]]:
    """Open an archive as what it is, and give its pages in order."""
    if archive.is_dir() and is_repository(archive):
        with GitPages(archive) as repository:
            yield _some(repository.pages(_by_name(settings, service, document, url)), archive)
    elif files := warc_files(archive):
        yield _some(warc_pages(files, _by_address(settings, service, document, url)), archive)
    elif service and document:
        yield folder_pages(dated_files(archive), document_spec(settings, service, document, url))
    else:
        raise ArchiveError(
            f"{archive} does not tell whose pages it holds", remedy="Name --service and --document"
        )


def _some(pages: list[Archived], archive: Path) -> list[Archived]:
    if not pages:
        raise ArchiveError(
            f"{archive} holds no page of the documents wanted",
            remedy="Check --service, --document and --url, or the documents of the configuration",
        )
    return pages


def _by_name(
    settings: Settings, service: str, document: str, url: str
) -> Callable[[str, str], DocumentSpec | None]:
    """Return what tells a repository's document by its folder and file: the ones wanted, all when none is named."""

    def spec_of(folder: str, stem: str) -> DocumentSpec | None:
        for wanted, name in ((service, folder), (document, stem)):
            if wanted and service_id(wanted) != service_id(name):
                return None
        return document_spec(settings, folder, stem, url)

    return spec_of


def _by_address(
    settings: Settings, service: str, document: str, url: str
) -> Callable[[str], DocumentSpec | None]:
    """Return what tells a capture's document by its address."""
    if bool(service) != bool(document):
        raise ArchiveError(
            "a service without a document names no page", remedy="Name --service and --document"
        )
    wanted = [document_spec(settings, service, document, url)] if service else list(settings.documents)
    if service and not (url or wanted[0].url):
        raise ArchiveError(
            f"the address of {service} {document} is not known", remedy="Name it with --url, or configure it"
        )
    known = {address(spec.url): spec for spec in wanted}
    if url and service:
        known[address(url)] = wanted[0]
    return known.get


def document_spec(settings: Settings, service: str, document: str, url: str) -> DocumentSpec:
    """Return the configured document of that name, or a new one."""
    wanted = (service.casefold(), document.casefold())
    for spec in settings.documents:
        if (spec.service.casefold(), spec.name.casefold()) == wanted:
            return spec
    return DocumentSpec(
        id=f"{service_id(service)}/{service_id(document)}", service=service, name=document, url=url
    )
