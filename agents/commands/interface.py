"""api, api-keys, secret-key: the HTTP API, who may use it, and the key that seals secrets."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from agents.api.access import SCOPES, new_key
from agents.api.run import HOST, PORT, serve_api
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.commands.running import LogFormat, set_up_logs
from agents.commands.standing import declare, standing
from pipeline.adapters import vault
from pipeline.adapters.clock import SystemClock
from pipeline.config import Settings

keys_app = typer.Typer(help="Who may use the HTTP API.", no_args_is_help=True)


def api(
    config: ConfigFile = Path("clausewire.yaml"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = HOST,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let webhooks lie on private networks.")
    ] = False,
    log_format: LogFormat = "pretty",
) -> None:
    """Serve the HTTP API, beside a running program or without one. Stops on Ctrl-C or SIGTERM."""
    settings = settings_from(config)
    set_up_logs(log_format)
    asyncio.run(_until_signal(settings, host, port, private=allow_private))


async def _until_signal(settings: Settings, host: str, port: int, *, private: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve_api(settings, SystemClock(), stop, host=host, port=port, private=private)


@keys_app.command("create")
def create_key(
    scope: Annotated[list[str], typer.Option(help=f"One of {', '.join(SCOPES)}; may be repeated.")],
    name: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    settings = settings_from(config)
    declared, key = new_key(name, scope, at=SystemClock().now())
    declare(settings, declared)
    typer.echo(f"{declared.key_id} may: {', '.join(declared.scopes)}. The key is shown this once:", err=True)
    typer.echo(key)


@keys_app.command("list")
def list_keys(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """List the keys: id, since when, whose, and what they may do."""
    for key in standing(settings_from(config)).keys.values():
        typer.echo(
            f"{key.key_id}  {key.declared_at:%Y-%m-%d %H:%M}  {key.name or '-'}  {' '.join(key.scopes)}"
        )


@keys_app.command("revoke")
def revoke_key(key_id: str, config: ConfigFile = Path("clausewire.yaml")) -> None:
    """Let a key open nothing any more."""
    settings = settings_from(config)
    found = standing(settings).keys.get(key_id)
    if found is None:
        raise InputError(f"there is no key {key_id}", remedy="see `clausewire api-keys list`")
    declare(settings, replace(found, revoked=True, declared_at=SystemClock().now()))
    typer.echo(f"{key_id} opens nothing any more")


def secret_key() -> None:
    """Print a new key to seal stored secrets with, for CLAUSEWIRE_SECRET_KEY."""
    typer.echo(vault.new_key())
