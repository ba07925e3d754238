"""What the configuration comes to: frozen values, no secret among them but inside `Secrets`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from pipeline.config.secrets import Secrets, remedy
from pipeline.errors import ConfigError
from pipeline.events import (
    Channel,
    DocumentSpec,
    FeedSpec,
    Filters,
    Gather,
    Hours,
    SourceDeclared,
    SubscriptionDeclared,
)


class Setting(Struct, frozen=True, kw_only=True):
    """A part of the settings."""


class WatchSpec(Setting, frozen=True, kw_only=True):
    """What a reader asked to be told about: words, "phrases", OR, NOT."""

    id: str
    name: str
    query: str


class SecretUse(Setting, frozen=True, kw_only=True):
    """A secret that the file names: its name in the environment, and where the file asks for it."""

    name: str
    line: int
    key: str


class Route(Setting, frozen=True, kw_only=True):
    """Which alerts go to which one place; `contact` is a mailbox that hears when it fails.

    `target` by channel, always of plain JSON values and without secrets:

        slack     {"channel": "#legal", "token_env": NAME}  or  {"webhook_url_env": NAME}
        webhook   {"url": URL, "secret_env": NAME, "allow_private": bool, "rate": posts a minute, if bounded}
        email     {"to": [address, ...], "from": address}
        console   {"file": absolute path, or "" for standard output}
        apprise   {"url_env": NAME}
    """

    id: str
    name: str
    channel: Channel
    target: dict[str, Any]
    filters: Filters = Filters()
    hours: Hours | None = None
    gather: Gather | None = None
    contact: str = ""

    def declared(self, at: datetime) -> SubscriptionDeclared:
        """Return the subscription that this route stands for, as declared at a time (aware UTC)."""
        return SubscriptionDeclared(
            subscription_id=self.id,
            name=self.name,
            channel=self.channel,
            declared_at=at,
            target=self.target,
            filters=self.filters,
            hours=self.hours,
            gather=self.gather,
            contact=self.contact,
        )


class FetchSettings(Setting, frozen=True, kw_only=True):
    """How pages and feeds are read; times in seconds, sizes in bytes of the decompressed body.

    `browser` is the Chromium that shows pages which only scripts can fill, "auto" for one on PATH, "" for none.
    """

    contact: str = ""
    per_host_spacing_s: float = 1.0
    concurrency: int = 32
    max_bytes: int = 10_000_000
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 20.0
    total_timeout_s: float = 60.0
    jitter: float = 0.1
    browser: str = ""
    browser_sandbox: bool = True


class RewriterSettings(Setting, frozen=True, kw_only=True):
    """An OpenAI-compatible endpoint that may reword summaries; `timeout_s` in seconds."""

    url: str
    model: str
    api_key_env: str = ""
    timeout_s: float = 20.0


class DkimSettings(Setting, frozen=True, kw_only=True):
    """How mails are signed (RFC 6376): the key's name is `selector`._domainkey.`domain` in DNS."""

    domain: str
    selector: str
    key_env: str


class SmtpSettings(Setting, frozen=True, kw_only=True):
    """The mail server that takes our mail; `security` is starttls, tls or none."""

    host: str
    port: int = 587
    security: str = "starttls"
    sender: str = ""
    username: str = ""
    username_env: str = ""
    password_env: str = ""
    ca_file: str = ""
    timeout_s: float = 30.0
    dkim: DkimSettings | None = None


class SlackSettings(Setting, frozen=True, kw_only=True):
    """Where Slack's Web API answers (ends with a slash), and the secret that proves what Slack sends us."""

    api_url: str = "https://slack.com/api/"
    signing_secret_env: str = ""


class ApiSettings(Setting, frozen=True, kw_only=True):
    """The HTTP API as the world sees it: its public https URL without a slash at the end, for links in messages."""

    public_url: str = ""


class KafkaSettings(Setting, frozen=True, kw_only=True):
    """How a Kafka broker is used; times in seconds.

    `partitions` bounds how many workers can share the work; `replication` 0 means three, or as many as there are
    brokers. `prefix` begins the names of topics and groups on a cluster that is shared. `wait_s` is how long a start
    waits for the broker, `session_timeout_s` after how long a worker that does not answer loses its partitions.
    `store` says where tables are held: in memory, or on the local disk (rocksdb) for a quick start and large tables.
    """

    create_topics: bool = True
    prefix: str = ""
    partitions: int = 8
    replication: int = 0
    wait_s: float = 60.0
    session_timeout_s: float = 10.0
    store: str = "memory"
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    username_env: str = ""
    password_env: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    key_password_env: str = ""


class BucketSettings(Setting, frozen=True, kw_only=True):
    """An S3-compatible bucket for the bodies of pages; what is empty is left to AWS_* of the environment."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    allow_http: bool = False


class Settings(Setting, frozen=True, kw_only=True):
    """Everything that the program was told, and where: the file, the data directory, the broker's URL."""

    file: Path
    data: Path
    broker: str
    secrets: Secrets
    documents: tuple[DocumentSpec, ...] = ()
    feeds: tuple[FeedSpec, ...] = ()
    watches: tuple[WatchSpec, ...] = ()
    routes: tuple[Route, ...] = ()
    fetch: FetchSettings = FetchSettings()
    smtp: SmtpSettings | None = None
    slack: SlackSettings = SlackSettings()
    api: ApiSettings = ApiSettings()
    rewriter: RewriterSettings | None = None
    kafka: KafkaSettings = KafkaSettings()
    blobs: BucketSettings | None = None
    secret_uses: tuple[SecretUse, ...] = ()
    secrets_file: Path | None = None

    def sources(self, at: datetime) -> tuple[SourceDeclared, ...]:
        """Return every document and feed as a source declared at a time (aware UTC)."""
        documents = (SourceDeclared(declared_at=at, document=document) for document in self.documents)
        feeds = (SourceDeclared(declared_at=at, feed=feed) for feed in self.feeds)
        return (*documents, *feeds)

    def subscriptions(self, at: datetime) -> tuple[SubscriptionDeclared, ...]:
        """Return every route as a subscription declared at a time (aware UTC)."""
        return tuple(route.declared(at) for route in self.routes)

    def missing_secrets(self) -> tuple[ConfigError, ...]:
        """Return one error per secret that the file names and nothing holds."""
        return tuple(
            ConfigError(
                f"the secret {use.name} is not set",
                file=str(self.file),
                line=use.line,
                key=use.key,
                remedy=remedy(use.name),
            )
            for use in self.secret_uses
            if use.name not in self.secrets
        )
