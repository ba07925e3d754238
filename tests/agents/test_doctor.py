"""The doctor: one finding per thing looked at, against real servers on loopback."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult

from agents.doctor import Finding, Level, examine
from agents.doctor.configuration import Spec, configuration
from agents.doctor.destinations import unheard
from agents.doctor.machine import directory, packages
from agents.doctor.sources import clock
from pipeline import config
from pipeline.errors import FetchError
from pipeline.polling import Fetched
from tests.fakes import FixedClock

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
SOURCES = """
documents: [{service: X, name: Terms, url: "http://127.0.0.1:1/t"}]
feeds: [{name: News, url: "http://127.0.0.1:1/f"}]
"""


def settings(text: str, tmp_path: Path, **env: str) -> config.Settings:
    return config.parse(text.encode(), tmp_path / "clausewire.yaml", env)


def answer(spec: Spec, *, status: int = 200, body: bytes | None = b"words", date: datetime = NOW) -> Fetched:
    return Fetched(
        url=spec.url,
        status=status,
        final_url=spec.url,
        fetched_at=NOW,
        elapsed_s=0.1,
        headers={"date": format_datetime(date, usegmt=True)},
        body=body,
    )


async def reachable(spec: Spec) -> Fetched:
    return answer(spec)


async def look(found: config.Settings, **env: str) -> list[Finding]:
    return await examine(found, env, fetch=reachable, time=FixedClock(NOW))


def about(findings: list[Finding], words: str) -> Finding:
    return next(finding for finding in findings if words in finding.what)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    def login(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        right = getattr(data, "password", b"") == b"right"
        return AuthResult(success=right, handled=False)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            object(),
            hostname="h",
            tls_context=tls,
            authenticator=login,
            auth_require_tls=False,
            auth_exclude_mechanism=["PLAIN"],
            loop=loop,
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_all_is_well(tmp_path: Path) -> None:
    """A deployment in order has no finding but ok ones, each about something."""
    found = settings(
        SOURCES + "fetch: {contact: a@b.c}\nroutes: [{name: T, to: {console: stdout}}]", tmp_path
    )
    findings = await look(found)
    assert [
        finding for finding in findings if finding.level is not Level.OK and "GB free" not in finding.what
    ] == []


async def test_unreachable_source_fails(tmp_path: Path) -> None:
    """A source that cannot be read is told with why and what to do; the others are looked at all the same."""

    async def fetch(spec: Spec) -> Fetched:
        if spec.id == "news":
            raise FetchError("news.example has no address", kind="dns", remedy="Check the host")
        return answer(spec, status=404, body=None)

    findings = await examine(settings(SOURCES, tmp_path), {}, fetch=fetch, time=FixedClock(NOW))
    assert about(findings, "news:") == Finding(
        Level.FAIL, "news: news.example has no address", "Check the host"
    )
    assert about(findings, "x/terms: status 404").level is Level.FAIL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: x", "nothing is watched"),
        ("data: x", "nobody hears"),
        ("data: x", "no contact"),
        ("documents: [{service: X, name: T, url: 'https://x.com', interval: 5s}]", "read every 5 s"),
        ("routes: [{name: A, to: {slack: {webhook_url_env: HOOK}}}]", "HOOK is not set"),
    ],
)
def test_configuration_is_questioned(tmp_path: Path, text: str, words: str) -> None:
    """What is allowed and still unlikely to be meant is told with a remedy."""
    finding = about(list(configuration(settings(text, tmp_path), {})), words)
    assert finding.level is not Level.OK
    assert finding.remedy


@pytest.mark.parametrize(
    "text", ["secrets_file: s.env", "routes: [{name: A, to: {slack: {webhook_url_env: H}}}]"]
)
def test_open_secrets_file_is_told(tmp_path: Path, text: str) -> None:
    """A file of secrets that others can read is a warning, named in either way."""
    path = tmp_path / "s.env"
    path.write_text("H=1")
    path.chmod(0o644)
    env = {"H_FILE": str(path)}
    findings = list(configuration(settings(text, tmp_path, **env), env))
    assert about(findings, "others can read").remedy.startswith("chmod 600")


SLACK = """
slack: {api_url: "%s"}
routes: [{name: Desk, to: {slack: {channel: "#a", token_env: TOKEN}}}]
"""


@pytest.mark.parametrize(("token", "level"), [("xoxb-right", Level.OK), ("xoxb-wrong", Level.FAIL)])
async def test_slack_token_is_tried(tmp_path: Path, token: str, level: Level) -> None:
    """Slack is asked whom it takes the token for; the token is never repeated."""

    async def auth(request: web.Request) -> web.Response:
        right = request.headers["Authorization"] == "Bearer xoxb-right"
        said = {"ok": True, "user": "bot", "team": "T"} if right else {"ok": False, "error": "invalid_auth"}
        return web.json_response(said)

    app = web.Application()
    app.router.add_post("/auth.test", auth)
    async with served(app) as url:
        findings = await look(settings(SLACK % url, tmp_path, TOKEN=token))
    finding = about(findings, 'route "Desk"')
    assert (finding.level, token in f"{finding}") == (level, False)


async def test_silent_slack_fails(tmp_path: Path) -> None:
    """A Slack that does not answer, or answers something else, is a finding and no crash."""
    findings = await look(settings(SLACK % f"http://127.0.0.1:{free_port()}", tmp_path, TOKEN="xoxb-1"))
    assert about(findings, 'route "Desk"').level is Level.FAIL


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


WEBHOOK = "routes: [{name: Hook, to: {webhook: {url: 'http://127.0.0.1:9/x', secret_env: S%s}}}]"


@pytest.mark.parametrize(
    ("text", "secret", "level", "words"),
    [
        (WEBHOOK % "", KEY, Level.FAIL, "loopback"),
        (WEBHOOK % ", allow_private: true", KEY, Level.OK, "127.0.0.1"),
        (WEBHOOK % ", allow_private: true", "", Level.FAIL, "not set"),
        (WEBHOOK % ", allow_private: true", "whsec_c2hvcnQ=", Level.FAIL, "5 bytes"),
        (WEBHOOK % ", allow_private: true", "whsec_!", Level.FAIL, "base64"),
    ],
)
async def test_webhook_is_looked_up(tmp_path: Path, text: str, secret: str, level: Level, words: str) -> None:
    """An endpoint's address and its secret's form are checked; nothing is posted."""
    finding = about(await look(settings(text, tmp_path, S=secret)), 'route "Hook"')
    assert (finding.level, words in finding.what) == (level, True)


SMTP_BLOCK = "smtp: {host: localhost, port: %d, security: %s, from: a@b.c, username: u, password_env: P%s}"


@pytest.mark.parametrize(("password", "level"), [("right", Level.OK), ("wrong", Level.FAIL)])
async def test_mail_login_is_tried(tmp_path: Path, password: str, level: Level) -> None:
    """The mail server is asked to take the login over STARTTLS; the password is never repeated."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with mail_server(tls) as port:
        text = SMTP_BLOCK % (port, "starttls", ", ca_file: ca.pem")
        findings = await look(settings(text, tmp_path, P=password))
    finding = about(findings, "mail server")
    assert (finding.level, password in f"{finding}") == (level, False)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_without_tls_fails(tmp_path: Path, security: str) -> None:
    """A server that offers no encryption is told with the key that chooses it."""
    async with mail_server() as port:
        findings = await look(settings(SMTP_BLOCK % (port, security, ""), tmp_path, P="right"))
    finding = about(findings, "mail server")
    assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)


async def test_unknown_authority_fails(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is told as such."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(tls)
    async with mail_server(tls) as port:
        findings = await look(settings(SMTP_BLOCK % (port, "starttls", ""), tmp_path, P="right"))
    assert "certificate" in about(findings, "mail server").what


def test_unwritable_directory_fails(tmp_path: Path) -> None:
    """A data directory whose place is a file is told."""
    (tmp_path / "file").write_text("")
    (finding,) = directory(tmp_path / "file" / "data")
    assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)


async def test_silent_kafka_fails(tmp_path: Path) -> None:
    """A broker that does not answer is told with its address."""
    findings = await look(settings(f"broker: 'kafka://127.0.0.1:{free_port()}'", tmp_path))
    assert about(findings, "kafka://").level is Level.FAIL


async def test_damaged_log_fails(tmp_path: Path) -> None:
    """A log that is none is told, and left as it is."""
    (tmp_path / "log.db").write_bytes(b"not a log" * 1000)
    findings = await look(settings(f"broker: 'embedded://{tmp_path}/log.db'", tmp_path))
    assert about(findings, "cannot be read").level is Level.FAIL


@pytest.mark.parametrize(("drift_s", "level"), [(0, Level.OK), (-600, Level.FAIL), (600, Level.FAIL)])
def test_clock_is_compared(drift_s: float, level: Level) -> None:
    """A clock that disagrees with the sites' is told, by the median of what they say."""
    spec = config.parse(SOURCES.encode(), Path("/c.yaml"), {}).documents[0]
    read = [answer(spec, date=NOW + timedelta(seconds=drift_s)) for _ in range(3)]
    assert clock([*read, answer(spec, date=NOW)], NOW).level is level


def test_packages_are_known() -> None:
    """The Python and the packages that the tests run on are ones that we run on."""
    assert {finding.level for finding in packages()} == {Level.OK}


MAIL = "{name: %s, to: {email: {to: %s@example.org}}, only: {kinds: [%s]}%s}"


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ((("a", "", "change"),), 'nobody hears when route "a" fails'),
        ((("a", "", "health"),), 'route "a" alone hears of trouble'),
        ((("a", "", "health"), ("b", "", "health")), ""),
        ((("a", "it@example.org", "health"),), ""),
        ((("a", "a@example.org", "health"),), "its contact is whom it mails"),
    ],
    ids=["nobody", "itself", "another", "contact", "same mailbox"],
)
def test_trouble_that_nobody_hears_of_is_found(
    tmp_path: Path, routes: tuple[tuple[str, str, str], ...], said: str
) -> None:
    """A route whose failing would be told to nobody, or to itself, is found."""
    lines = ", ".join(
        MAIL % (name, name, kind, f", contact: {contact}" if contact else "")
        for name, contact, kind in routes
    )
    found = settings(f"smtp: {{host: h, from: c@example.org}}\nroutes: [{lines}]", tmp_path)
    told = [one.what for one in unheard(found.routes)]
    assert [said in what for what in told] == ([True] if said else [])
