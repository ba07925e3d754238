"""What the doctor tries beyond sources and routes: each thing against a real one on loopback, and against a broken one."""

from __future__ import annotations

import shutil
import stat
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dkim
import pytest
from aiohttp import test_utils, web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from agents.doctor import Finding, Level
from agents.doctor.bodies import bucket
from agents.doctor.broker import broker, identity, topics
from agents.doctor.configuration import keys
from agents.doctor.destinations import destination
from agents.doctor.mail import mail
from agents.doctor.sources import browser
from agents.doctor.summaries import rewriter
from pipeline import config
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.dkim import Dkim
from pipeline.adapters.kafka.admin import admin_of
from pipeline.adapters.kafka.start import KNOWN, kafka_of
from pipeline.adapters.vault import new_key
from tests.adapters.bucket import BucketStand, Credentials, moto_server
from tests.fakes import FixedClock

CLOSED = "http://127.0.0.1:1"
SIGNED = "smtp: {host: 127.0.0.1, port: 1, security: none, from: a@b.c, dkim: {domain: b.c, selector: cw, key_env: K}}"
REWRITER = "summary: {rewriter_url: %s/v1, model: m%s}"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = Ed25519PrivateKey.generate()


def settings(text: str, tmp_path: Path, **env: str) -> config.Settings:
    return config.parse(text.encode(), tmp_path / "clausewire.yaml", env)


def pem(key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


# --- the bucket -----------------------------------------------------------------------------------------------


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Credentials(monkeypatch).set()
    with moto_server() as url:
        yield url


def blobs(url: str, name: str = "bodies") -> str:
    return f"blobs: {{url: 's3://{name}/some', endpoint: '{url}', allow_http: true}}"


async def test_bucket_takes_gives_and_deletes(tmp_path: Path, s3: str) -> None:
    """A bucket in order is told so, and nothing of the probe is left in it."""
    stand = BucketStand(s3, "bodies")
    (finding,) = await bucket(settings(blobs(s3), tmp_path))
    assert (finding.level, finding.what) == (
        Level.OK,
        "the blob store s3://bodies/some: takes, gives and deletes",
    )
    assert await stand.names() == []


async def test_missing_bucket_fails(tmp_path: Path, s3: str) -> None:
    """A bucket that is not there is told with what to check."""
    (finding,) = await bucket(settings(blobs(s3, "elsewhere"), tmp_path))
    assert (finding.level, "blobs.endpoint" in finding.remedy) == (Level.FAIL, True)


async def test_folder_is_no_bucket(tmp_path: Path) -> None:
    """Where bodies lie in a folder there is no bucket to try."""
    assert await bucket(settings("data: x", tmp_path)) == []


# --- the key that signs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
async def test_record_to_publish_verifies(tmp_path: Path, key: Any) -> None:
    """The record that the doctor tells to publish is one by which a signed mail verifies."""
    findings = await mail(settings(SIGNED, tmp_path, K=pem(key)))
    _, place, _, record = findings[1].remedy.replace("DNS must say so: ", "x ").split(" ", 3)
    signed = Dkim(domain="b.c", selector="cw", key=pem(key)).sign(b"From: a@b.c\r\nTo: d@e.f\r\n\r\nHi\r\n")
    verifier = dkim.DKIM(signed)
    assert findings[1].level is Level.OK
    assert verifier.verify(dnsfunc=lambda name, timeout=5: record.strip('"').encode())
    assert place == "cw._domainkey.b.c"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "K is not set"),
        ("not a key", "no private key"),
        (
            RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "public half",
        ),
        (pem(RSA)[:200], "no private key"),
    ],
)
async def test_unusable_key_fails(tmp_path: Path, key: str, words: str) -> None:
    """A key that cannot sign is told with how to make one, and not repeated."""
    found = settings(SIGNED, tmp_path, **({"K": key} if key else {}))
    finding = (await mail(found))[1]
    assert (finding.level, words in finding.what, bool(finding.remedy)) == (Level.FAIL, True, True)
    assert key[40:80] not in finding.what or not key[40:80]


async def test_mail_in_the_clear_to_strangers_fails(tmp_path: Path) -> None:
    """A server elsewhere that would get mails unencrypted gets none, and the doctor says so before anybody tries."""
    text = "smtp: {host: mail.example.org, security: none, from: a@b.c}"
    (finding,) = await mail(settings(text, tmp_path))
    assert (finding.level, "starttls" in finding.remedy) == (Level.FAIL, True)


async def test_missing_authority_fails(tmp_path: Path) -> None:
    """A file of certificates that is not there is told as what it is, and ends nothing."""
    text = "smtp: {host: 127.0.0.1, port: 1, security: starttls, from: a@b.c, ca_file: missing.pem}"
    (finding,) = await mail(settings(text, tmp_path))
    assert (finding.level, "missing.pem" in finding.what) == (Level.FAIL, True)
    assert "PEM" in finding.remedy


# --- the browser -----------------------------------------------------------------------------------------------


async def test_browser_shows_a_page(tmp_path: Path) -> None:
    """A browser that is installed is started, and shows a page."""
    if not shutil.which("chromium"):
        pytest.skip("PAGES WERE NOT RENDERED: there is no Chromium")
    (finding,) = await browser(settings("fetch: {browser: chromium, browser_sandbox: false}", tmp_path))
    assert finding.level is Level.OK, finding


async def test_missing_browser_fails(tmp_path: Path) -> None:
    """A browser that is not there is told."""
    (finding,) = await browser(settings("fetch: {browser: /nowhere/chromium}", tmp_path))
    assert (finding.level, "Install Chromium" in finding.remedy) == (Level.FAIL, True)


async def test_browser_that_dies_fails(tmp_path: Path) -> None:
    """A browser that ends without a page is told with its last words."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    script = tmp_path / "chromium"
    script.write_text("#!/bin/sh\necho 'No usable sandbox!' >&2\nexit 133\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (finding,) = await browser(settings(f"fetch: {{browser: {script}}}", tmp_path))
    assert (finding.level, "No usable sandbox!" in finding.what) == (Level.FAIL, True)
    assert "browser_sandbox: false" in finding.remedy


# --- the rewriter ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(status: int, body: str) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", take)
    async with test_utils.TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize(
    ("status", "body", "level", "words"),
    [
        (200, '{"choices": [{"message": {"content": "ok"}}]}', Level.OK, "reworded by m"),
        (200, "<html>", Level.WARN, "no chat completion"),
        (401, "{}", Level.WARN, "answers 401"),
        (404, "{}", Level.WARN, "answers 404"),
        (503, "{}", Level.WARN, "answers 503"),
    ],
)
async def test_rewriter_is_asked(tmp_path: Path, status: int, body: str, level: Level, words: str) -> None:
    """The endpoint is asked for a word; one that gives none is told, and costs no alert."""
    async with answering(status, body) as url:
        (finding,) = await rewriter(settings(REWRITER % (url, ""), tmp_path))
    assert (finding.level, words in finding.what) == (level, True)
    assert bool(finding.remedy) is (level is not Level.OK)


@pytest.mark.parametrize(
    ("more", "words"), [("", "does not answer"), (", api_key_env: NO_KEY", "NO_KEY is not set")]
)
async def test_silent_rewriter_is_told(tmp_path: Path, more: str, words: str) -> None:
    """One that is away, or whose key is missing, is told."""
    (finding,) = await rewriter(settings(REWRITER % (CLOSED, more), tmp_path))
    assert (finding.level is not Level.OK, words in finding.what) == (True, True)


# --- keys ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "level"),
    [("0123456789abcdef0123456789abcdef", Level.OK), ("xoxb-a-token", Level.FAIL), ("0123", Level.FAIL)],
)
def test_signing_secret_is_looked_at(tmp_path: Path, secret: str, level: Level) -> None:
    """What is no signing secret of Slack's is told, and not repeated."""
    text = "slack: {signing_secret_env: S}\napi: {public_url: 'https://cw.example'}"
    _, finding = keys(settings(text, tmp_path, S=secret))
    assert (finding.level, secret in finding.what) == (level, False)


def test_buttons_need_an_address(tmp_path: Path) -> None:
    """Buttons that lead nowhere are told."""
    *_, finding = keys(settings("slack: {signing_secret_env: S}", tmp_path, S="0" * 32))
    assert (finding.level, "public_url" in finding.remedy) == (Level.WARN, True)


@pytest.mark.parametrize(
    ("key", "level", "words"),
    [
        ("", Level.OK, "is not set"),
        (new_key(), Level.OK, "seals and opens"),
        ("short", Level.FAIL, "is no key"),
    ],
)
def test_sealing_key_is_tried(tmp_path: Path, key: str, level: Level, words: str) -> None:
    """The key that seals is tried; without one it is told what cannot be done."""
    (finding,) = keys(settings("data: x", tmp_path, CLAUSEWIRE_SECRET_KEY=key))
    assert (finding.level, words in finding.what) == (level, True)


# --- Apprise ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "level", "words"),
    [
        ("discord://1234567890/s3cr3t-token", Level.OK, "Discord"),
        ("nosuch://s3cr3t-token", Level.FAIL, "no service"),
        ("", Level.FAIL, "CHAT_URL is not set"),
    ],
)
async def test_apprise_url_is_read(tmp_path: Path, url: str, level: Level, words: str) -> None:
    """A route's Apprise URL is read, nothing is posted, and no part of it is told."""
    pytest.importorskip("apprise", reason="apprise is not installed: pip install 'clausewire[apprise]'")
    text = "routes: [{name: Chat, to: {apprise: {url_env: CHAT_URL}}}]"
    found = settings(text, tmp_path, **({"CHAT_URL": url} if url else {}))
    finding = await destination(found.routes[0], found)
    assert (finding.level, words in finding.what) == (level, True)
    assert "s3cr3t" not in str(finding)


# --- Kafka -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("known", "level"), [("", Level.OK), ("one", Level.OK), ("two", Level.FAIL)])
def test_cluster_is_recognised(tmp_path: Path, known: str, level: Level) -> None:
    """The folder of another cluster is told with both ids; one without any is not written to."""
    if known:
        (tmp_path / KNOWN).write_text(known)
    finding = identity("one", tmp_path)
    assert (finding.level, (tmp_path / KNOWN).exists()) == (level, bool(known))


@pytest.mark.parametrize(
    ("misfits", "makes", "levels"),
    [
        ([], True, [Level.OK]),
        (["sources is not there: run it"], True, [Level.OK]),
        (["sources is not there: run it"], False, [Level.FAIL]),
        (["outbox has 3 partitions", "sources is not there: run it"], True, [Level.FAIL, Level.OK]),
    ],
)
def test_topics_are_judged(misfits: list[str], makes: bool, levels: list[Level]) -> None:
    """Topics that do not fit fail; missing ones do where nothing makes them."""
    assert [one.level for one in topics(misfits, makes=makes)] == levels


async def looked(address: str, tmp_path: Path, clock: Any, prefix: str) -> tuple[list[Finding], set[str]]:
    found = settings(f"broker: kafka://{address}\nkafka: {{prefix: '{prefix}', partitions: 2}}", tmp_path)
    findings = await broker(found, clock)
    async with admin_of(kafka_of(found).connection) as admin:
        return findings, {name for name in await admin.sizes() if name.startswith(prefix)}


@pytest.mark.kafka
async def test_cluster_is_looked_at(tmp_path: Path, kafka: str) -> None:
    """A cluster is told with its id, its topics and its clock, and keeps nothing of the doctor's."""
    findings, left = await looked(kafka, tmp_path, SystemClock(), f"doc-{uuid.uuid4().hex[:6]}.")
    assert {one.level for one in findings} == {Level.OK}
    assert "the broker's clock agrees" in findings[-1].what
    assert left == set()


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("off", "word"), [(timedelta(minutes=10), "ahead"), (timedelta(minutes=-10), "behind")]
)
async def test_clock_is_compared_with_the_brokers(
    tmp_path: Path, kafka: str, off: timedelta, word: str
) -> None:
    """A clock ten minutes off the broker's is told, with which way."""
    clock = FixedClock(datetime.now(UTC) + off)
    findings, _ = await looked(kafka, tmp_path, clock, f"doc-{uuid.uuid4().hex[:6]}.")
    assert findings[-1].level is Level.FAIL
    assert f"{word} of the broker's" in findings[-1].what


async def test_silent_cluster_is_told(tmp_path: Path) -> None:
    """A cluster that does not answer is told with its address and what to do."""
    (finding,) = await broker(settings("broker: 'kafka://127.0.0.1:1'", tmp_path), SystemClock())
    assert (finding.level, "127.0.0.1:1" in finding.what, bool(finding.remedy)) == (Level.FAIL, True, True)
