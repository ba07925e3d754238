"""subscriptions check: which endpoints would be accepted, without posting anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.commands.pages import print_json
from agents.commands.reading import InputError
from pipeline.adapters import ssrf


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
