"""The API on a loopback port, over a real log, with real channels that may post to this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, test_utils

from agents.api.access import SCOPES, new_key
from agents.api.office import HistoryLog, Office
from agents.api.server import application
from agents.channels import Channels
from agents.subscriptions import Registry
from agents.told import telling
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import new_key as new_vault_key
from pipeline.config import Settings
from pipeline.config.loading import parse
from tests.fakes import FixedClock

FILE = b"""
smtp: {host: 127.0.0.1, port: 1, security: none, from: clausewire@example.org}
routes:
  - {name: Terminal, to: {console: out.txt}}
"""


class Desk:
    """What a test needs of a running API: a client's calls, and what lies behind."""

    def __init__(self, office: Office, session: ClientSession, key: str) -> None:
        self.office = office
        self.session = session
        self.key = key

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and JSON of an answer, shown our key unless another is given."""
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self.session.request(method, path, json=body, headers=sent) as response:
            text = await response.text()
            return response.status, await response.json(content_type=None) if text else None

    def stored(self) -> bytes:
        """Return everything that lies in the log's files."""
        folder = Path(self.office.history().__enter__()._log.path).parent  # type: ignore[attr-defined]
        return b"".join(path.read_bytes() for path in sorted(folder.glob("log.db*")))

    async def hook(self, url: str, **more: Any) -> dict[str, Any]:
        """Make a webhook and return the answer."""
        status, made = await self.call(
            "POST", "/v1/subscriptions", {"name": "Hook", "to": {"webhook": {"url": url}}, **more}
        )
        assert status == 201, made
        return dict(made)


def settings(folder: Path) -> Settings:
    return parse(FILE, folder / "clausewire.yaml", {"CLAUSEWIRE_SECRET_KEY": new_vault_key()})


@asynccontextmanager
async def desk(
    folder: Path, *, scopes: Sequence[str] = tuple(SCOPES), clock: FixedClock | None = None, **also: Any
) -> AsyncIterator[Desk]:
    """Serve the API inside the context, with a key of these scopes."""
    known, clock = settings(folder), clock or FixedClock()
    folder.joinpath(".clausewire").mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        channels = await stack.enter_async_context(Channels(known, clock))
        registry = Registry(channels)
        for route in known.subscriptions(clock.now()):
            await registry.take(route)

        def opened() -> Any:
            return open_history(known.broker, create=True)

        office = Office(
            registry=registry,
            log=HistoryLog(opened),
            channels=channels,
            history=opened,
            clock=clock,
            told=await stack.enter_async_context(telling(known, clock)),
            blobs=blobs_of(known),
            key=known.secrets["CLAUSEWIRE_SECRET_KEY"],
            private=True,
        )
        office = changed(office, **also)
        declared, key = new_key("test", scopes, at=clock.now())
        await office.declare(declared)
        server = test_utils.TestServer(application(office), host="127.0.0.1")
        client = await stack.enter_async_context(test_utils.TestClient(server))
        yield Desk(office, client, key)  # type: ignore[arg-type]
