"""Nothing secret in the logs, on the metrics' port or in the log of events, while every delivery fails noisily."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import test_utils, web

from agents.commands.running import set_up_logs
from agents.lookout import Lookout
from agents.serve import running
from pipeline import config
from pipeline.adapters.blobs import FolderBlobs
from pipeline.events import FetchOutcome, PageFetched
from tests.adapters.post import answering
from tests.adapters.test_scrapes import get
from tests.fakes import NOON, FixedClock
from tests.flow.line import DOCUMENT, a_clause_is_added, page

SECRETS = {
    "HOOK_SECRET": "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode(),
    "SLACK_TOKEN": "xoxb-9876-s3cr3t-of-ours",
    "SLACK_HOOK": "",  # these two are put in with the stand-in's address
    "CHAT_URL": "",
    "SMTP_LOGIN": "watcher-s3cr3t",
    "SMTP_PASSWORD": "pa55w0rd-of-ours",
}


async def parrot(request: web.Request) -> web.Response:
    """Refuse, and repeat everything that was sent."""
    said = f"{request.method} {request.url} {dict(request.headers)} {(await request.read())[:2000]!r}"
    return web.Response(status=500, text=f"no: {said}")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", parrot)
    server = test_utils.TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1, access_log=None)
    yield str(server.make_url("")).rstrip("/")
    await server.close()


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Everything that is logged, by us and by the libraries, with every detail."""
    before, heard, root = structlog.get_config(), io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(heard), root.level
    handler.addFilter(lambda record: not record.name.startswith("mail."))  # the stand-in's own
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    set_up_logs("json", verbose=True)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=heard))
    yield heard.getvalue
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.configure(**before)


def settings(folder: Path, url: str, mail_port: int) -> config.Settings:
    """Return a deployment that delivers to five places, each with secrets."""
    everything = "only: {kinds: [change, story, health]}"
    text = f"""
data: {folder / "data"}
slack: {{api_url: "{url}/api/"}}
smtp: {{host: 127.0.0.1, port: {mail_port}, security: none, from: a@example.org, username_env: SMTP_LOGIN, password_env: SMTP_PASSWORD}}
routes:
  - {{name: Hook, to: {{webhook: {{url: "{url}/hook", secret_env: HOOK_SECRET, allow_private: true}}}}, {everything}}}
  - {{name: Bot, to: {{slack: {{channel: "#a", token_env: SLACK_TOKEN}}}}, {everything}}}
  - {{name: Incoming, to: {{slack: {{webhook_url_env: SLACK_HOOK}}}}, {everything}}}
  - {{name: Chat, to: {{apprise: {{url_env: CHAT_URL}}}}, {everything}}}
  - {{name: Mail, to: {{email: {{to: [b@example.org]}}}}, {everything}}}
"""
    chat = f"{url.replace('http', 'json')}/s3cr3t-chat-path"
    env = {**SECRETS, "SLACK_HOOK": f"{url}/services/T0/B0/s3cr3t-path", "CHAT_URL": chat}
    return config.parse(text.encode(), folder / "clausewire.yaml", env)


def forms(secret: str) -> set[str]:
    """Return a secret as it might be written."""
    return {secret, base64.b64encode(secret.encode()).decode().rstrip("="), json.dumps(secret)[1:-1]}


PLAIN = base64.b64encode(f"\0{SECRETS['SMTP_LOGIN']}\0{SECRETS['SMTP_PASSWORD']}".encode()).decode()
HIDDEN = set().union(
    {"s3cr3t-path", "s3cr3t-chat-path", PLAIN, SECRETS["HOOK_SECRET"].removeprefix("whsec_")},
    *(forms(secret) for secret in SECRETS.values() if secret),
)


def attempts(text: str) -> set[str]:
    """Return the subscriptions whose deliveries failed, as logged."""
    rows = (json.loads(row) for row in text.splitlines() if row.startswith("{"))
    return {
        row["subscription"] for row in rows if row.get("event") in {"delivery.failed", "delivery.refused"}
    }


async def test_no_secret_shows(tmp_path: Path, url: str, logged: Callable[[], str]) -> None:
    """Five destinations refuse and repeat what they were sent: no log line, metric or record holds a secret."""
    pytest.importorskip("apprise", reason="apprise is not installed: pip install 'clausewire[apprise]'")
    told = f"535 5.7.8 no: {SECRETS['SMTP_LOGIN']} and {SECRETS['SMTP_PASSWORD']} ({PLAIN})"
    async with answering(ehlo="250-mail.test\r\n250 AUTH PLAIN", auth=told) as mail_port:
        deployment, lookout = settings(tmp_path, url, mail_port), Lookout(0)
        async with running(deployment, FixedClock(NOON + timedelta(days=2)), lookout=lookout) as program:
            blobs = FolderBlobs(deployment.data / "blobs")
            for day, body in enumerate((page(), a_clause_is_added())):
                for confirms in (False, True):
                    read = PageFetched(
                        document=DOCUMENT,
                        fetched_at=NOON + timedelta(days=day, hours=confirms),
                        outcome=FetchOutcome.OK,
                        status=200,
                        headers={"content-type": "text/html"},
                        body=await blobs.put(body, media_type="text/html"),
                        confirms=confirms,
                    )
                    await program.log.publish(read)
            await until_all_failed(logged)
            _, metrics = get_now(lookout)
    shown = {"logs": logged(), "metrics": metrics, **written(tmp_path / "data")}
    found = {(place, word) for place, text in shown.items() for word in HIDDEN if word in text}
    assert found == set()


async def until_all_failed(logged: Callable[[], str]) -> None:
    """Wait until every destination was tried."""
    async with asyncio.timeout(30):
        while len(attempts(logged())) < 5:
            await asyncio.sleep(0.05)


def get_now(lookout: Lookout) -> tuple[int, str]:
    """Return what the metrics' port says."""
    status, body = get(f"{lookout.url}/metrics")
    return status, body.decode()


def written(folder: Path) -> dict[str, str]:
    """Return every file below a folder as text."""
    return {
        str(file.relative_to(folder)): file.read_bytes().decode("latin-1")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
