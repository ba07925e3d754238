"""A good configuration becomes settings; a bad one is told whole, with line, key and remedy."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import config
from pipeline.errors import ConfigError
from pipeline.events import Channel, Severity

GOOD = """\
documents:
  - service: X
    name: Privacy Policy
    url: https://x.com/en/privacy
    interval: 1h30m
    select: main
    remove: [.related, footer]
    language: EN
    aliases: [Twitter]
  - {service: Mistral AI, name: Terms, url: "http://127.0.0.1:8080/t", robots: ignore, robots_reason: ours}
feeds:
  - {name: The Register, url: "https://example.org/feed"}
watches:
  - {name: AI training, query: '"AI training" OR (X AND train*)'}
smtp: {host: mail.example.org, from: Clausewire <a@example.org>, username_env: MAIL_USER, password_env: MAIL_PASSWORD}
slack: {api_url: "http://127.0.0.1:1/api"}
fetch: {contact: me@example.org, spacing: 0s, concurrency: 4, max_size: 2MB, jitter: 0.5, timeouts: {read: 5s}}
routes:
  - name: Policy desk
    to: {slack: {channel: "#policy", token_env: SLACK_TOKEN}}
    only:
      services: [twitter, mistral ai]
      documents: [X Privacy Policy, terms]
      categories: ai_training
      watches: [ai training]
      kinds: [change, story]
      languages: [EN, de]
      min_severity: medium
  - {name: Hook, to: {webhook: {url: "https://h.example.org/x", secret_env: HOOK_SECRET, allow_private: true, rate: 60}}}
  - {name: Hall, to: {slack: {webhook_url_env: SLACK_HOOK}}}
  - {name: Mail, to: {email: {to: a@example.org}}}
  - {name: Here, to: {console: alerts.txt}}
"""


def settings(text: str = GOOD, env: dict[str, str] | None = None) -> config.Settings:
    return config.parse(text.encode(), Path("/etc/cw/clausewire.yaml"), env or {})


def test_documents_are_read() -> None:
    """A document carries its identity, its selectors and its interval in seconds."""
    first, second = settings().documents
    assert (first.id, first.interval_s, first.select, first.remove) == (
        "x/privacy-policy",
        5400.0,
        ("main",),
        (".related", "footer"),
    )
    assert (second.id, second.respect_robots, second.robots_reason) == ("mistral-ai/terms", False, "ours")


def test_routes_are_read() -> None:
    """Each route has one channel, and a target that holds names of secrets and no secret."""
    assert [(route.id, route.channel, route.target) for route in settings().routes] == [
        ("policy-desk", Channel.SLACK, {"channel": "#policy", "token_env": "SLACK_TOKEN"}),
        (
            "hook",
            Channel.WEBHOOK,
            {
                "url": "https://h.example.org/x",
                "secret_env": "HOOK_SECRET",
                "allow_private": True,
                "rate": 60,
            },
        ),
        ("hall", Channel.SLACK, {"webhook_url_env": "SLACK_HOOK"}),
        ("mail", Channel.EMAIL, {"to": ["a@example.org"], "from": "Clausewire <a@example.org>"}),
        ("here", Channel.CONSOLE, {"file": "/etc/cw/alerts.txt"}),
    ]


def test_filters_are_canonical() -> None:
    """Names in a filter are matched without case, by alias or id, and stand in one form afterwards."""
    filters = settings().routes[0].filters
    assert filters.services == ("X", "Mistral AI", "mistral-ai")
    assert filters.documents == ("x/privacy-policy", "Terms")
    assert (filters.watches, filters.languages, filters.min_severity) == (
        ("ai-training",),
        ("en", "de"),
        Severity.MEDIUM,
    )


def test_trouble_is_for_who_asks() -> None:
    """A route that names no kind is told of changes and stories, and not of trouble with sources."""
    assert [route.filters.kinds for route in settings().routes[:2]] == [("change", "story")] * 2


def test_blocks_are_read() -> None:
    """How to fetch, where Slack is and which server takes mail."""
    found = settings()
    assert (found.fetch.per_host_spacing_s, found.fetch.max_bytes, found.fetch.read_timeout_s) == (
        0.0,
        2_000_000,
        5.0,
    )
    assert found.slack.api_url == "http://127.0.0.1:1/api/"
    assert found.smtp is not None
    assert (found.smtp.port, found.smtp.security) == (587, "starttls")


def test_paths_are_relative_to_file() -> None:
    """History lies beside the configuration, and the log in it, unless the file or the environment says else."""
    assert settings().broker == "embedded:///etc/cw/.clausewire/log.db"
    assert settings("data: /var/cw").broker == "embedded:///var/cw/log.db"
    assert settings("data: ../x", {"CLAUSEWIRE_DATA": "/srv"}).data == Path("/srv")
    assert settings("data: x", {"CLAUSEWIRE_BROKER": "kafka://a:9092;kafka://b:9092"}).broker.startswith(
        "kafka://a"
    )


def test_settings_become_events() -> None:
    """Every source and every route can be declared on its topic."""
    at, found = datetime(2024, 10, 17, tzinfo=UTC), settings()
    assert [event.key for event in found.sources(at)] == [
        "x/privacy-policy",
        "mistral-ai/terms",
        "the-register",
    ]
    assert [event.name for event in found.subscriptions(at)] == [
        "Policy desk",
        "Hook",
        "Hall",
        "Mail",
        "Here",
    ]


def test_missing_file_has_remedy(tmp_path: Path) -> None:
    """A file that is not there is told with the command that writes one."""
    with pytest.raises(ConfigError, match="clausewire init"):
        config.load(tmp_path / "clausewire.yaml", {})


ROUTE = "routes: [{name: A, to: {%s}}]"
DOCUMENT = "documents: [{service: X, name: Y, url: 'https://x.com', %s}]"

BAD = [
    ("", 1, "", "the file is empty", "clausewire init"),
    ("# only a comment\n", 1, "", "the file is empty", "clausewire init"),
    ("- a\n- b\n", 1, "", "a table of keys is expected", "documents"),
    ("a: [1,\n", 2, "", "not YAML", "quotes"),
    ("documents:\n\t- service: X\n", 2, "", "not YAML", "spaces, not with tabs"),
    ("data: x\nname: Say: it\n", 2, "", "not YAML", "quote texts"),
    ("data: a\x00b\n", 1, "", "control character", "Delete"),
    ("data: *nowhere\n", 1, "", "undefined alias", "Check"),
    ("data: a\n---\ndata: b\n", 2, "", "not YAML", "Check"),
    ("docments: []\n", 1, "docments", 'unknown key "docments"', 'Did you mean "documents"?'),
    ("data: a\nfeeds: []\ndata: b\n", 3, "data", "stands here twice", "line 1"),
    ("data: [a]\n", 1, "data", "text is expected here, not a list", "one text"),
    ("data: 12\n", 1, "data", "not a number", '"12"'),
    ("documents: X\n", 1, "documents", "a list is expected here, not text", "- "),
    ("documents: [X]\n", 1, "documents[0]", "a table of keys is expected", "service"),
    ("documents:\n  - name: Y\n    url: https://x.com\n", 2, "documents[0]", '"service" is missing', "service: X"),
    ("documents:\n  - service: X\n    name: Y\n", 2, "documents[0]", '"url" is missing', "https://"),
    ("documents:\n  - service: X\n    name: Y\n    url: ftp://x.com\n", 4, "documents[0].url", "http(s)", "whole address"),
    ("documents: [{service: X, name: Y, url: /privacy}]", 1, "documents[0].url", "http(s)", "https://"),
    ("documents: [{service: X, name: Y, url: 'http://'}]", 1, "documents[0].url", "http(s)", "https://"),
    ("documents: [{service: X, name: Y, url: 'http://a:b'}]", 1, "documents[0].url", "http(s)", "https://"),
    ("documents: [{service: X, name: Y, url: 'http://[::1'}]", 1, "documents[0].url", "http(s)", "https://"),
    ("documents: [{service: X, name: Y, url: 'https://me:pw@x.com'}]", 1, "documents[0].url", "credentials", "@"),
    ("documents: [{service: X, name: Y, url: 'https://x.com/a b'}]", 1, "documents[0].url", "character", "encoded"),
    ("documents: [{service: X, name: '', url: 'https://x.com'}]", 1, "documents[0].name", "empty", "leave the key out"),
    ("documents: [{service: '!', name: Y, url: 'https://x.com'}]", 1, "documents[0].service", "no letter", "spoken"),
    (DOCUMENT % "interval: soon", 1, "documents[0].interval", '"soon" is not a length of time', "30m"),
    (DOCUMENT % "interval: 30", 1, "documents[0].interval", "not a length of time", "30m"),
    (DOCUMENT % "interval: 0s", 1, "documents[0].interval", "not a length of time", "30m"),
    (DOCUMENT % "interval: -5m", 1, "documents[0].interval", "not a length of time", "30m"),
    (DOCUMENT % "language: no", 1, "documents[0].language", "not yes or no", '"no"'),
    (DOCUMENT % "aliases: [[a]]", 1, "documents[0].aliases[0]", "text is expected", "one text"),
    (DOCUMENT % "select: 'main >> p['", 1, "documents[0].select", "cannot read the selector", ".classes"),
    (DOCUMENT % "remove: [footer, '::x']", 1, "documents[0].remove", "pseudo-class :x", "#ids"),
    (DOCUMENT % "robots: ignore", 1, "documents[0].robots", "without a reason", "robots_reason"),
    (DOCUMENT % "robots: maybe", 1, "documents[0].robots", "none of respect, ignore", "Known here"),
    ("feeds: [{name: A, url: 'http://a.b'}, {name: a, url: 'http://c.d'}]", 1, "feeds[1]", "twice", "Rename"),
    ("watches: [{name: A, query: 'a AND ('}]", 1, "watches[0].query", "column", "group"),
    ("watches: [{name: A}]", 1, "watches[0]", '"query" is missing', "query:"),
    ("routes: [{name: A}]", 1, "routes[0]", '"to" is missing', "email"),
    ("routes: [{name: A, to: {}}]", 1, "routes[0].to", "no target", "exactly one of slack"),
    (ROUTE % "console: stdout, email: {to: a@b.c}", 1, "routes[0].to", "2 targets", "second route"),
    (ROUTE % "pager: x", 1, "routes[0].to.pager", 'unknown key "pager"', "slack, webhook, email, console"),
    (ROUTE % "email: {to: a@b.c}", 1, "routes[0].to.email", "no server is named", "smtp:"),
    ("smtp: {host: h}\n" + ROUTE % "email: {to: a@b.c}", 2, "routes[0].to.email", "no sender", "from:"),
    ("smtp: {host: h, from: a@b.c}\n" + ROUTE % "email: {to: [me]}", 2, "routes[0].to.email.to", '"me" is not', "name@"),
    ("routes: [{name: A, to: {console: stdout}, contact: a@b.c}]", 1, "routes[0].contact", "no server is named", "smtp:"),
    ("smtp: {host: h, from: a@b.c}\nroutes: [{name: A, to: {console: stdout}, contact: me}]", 2, "routes[0].contact", '"me" is not', "name@"),
    (ROUTE % "webhook: {secret_env: S}", 1, "routes[0].to.webhook", '"url" is missing', "https"),
    (ROUTE % "webhook: {url: 'https://a.b'}", 1, "routes[0].to.webhook", '"secret_env" is missing', "WEBHOOK_SECRET"),
    (ROUTE % "slack: {channel: '#a'}", 1, "routes[0].to.slack", '"token_env" is missing', "SLACK_BOT_TOKEN"),
    (ROUTE % "slack: {channel: '#a', webhook_url_env: S}", 1, "routes[0].to.slack", "built in", "Keep"),
    ("routes: [{name: A, to: {console: stdout}, only: {min_severity: hi}}]", 1, "routes[0].only.min_severity", "none of", "high"),
    ("routes: [{name: A, to: {console: stdout}, only: {watches: [B]}}]", 1, "routes[0].only.watches", "none of the watches", "declare it"),
    ("routes: [{name: A, to: {console: stdout}, only: {categories: [ai_trainin]}}]", 1, "routes[0].only.categories", "none of", '"ai_training"'),
    ("routes: [{name: A, to: {console: stdout}, only: {kinds: [changes]}}]", 1, "routes[0].only.kinds", "none of", '"change"'),
    (DOCUMENT % "" + "\nroutes: [{name: A, to: {console: stdout}, only: {services: [Q]}}]", 2, "routes[0].only.services", "none of", "Known here: X"),
    ("smtp: {from: a@b.c}", 1, "smtp", '"host" is missing', "smtp.example.org"),
    ("smtp: {host: h, port: 70000}", 1, "smtp.port", "not \"70000\"", "1 to 65535"),
    ("smtp: {host: h, port: many}", 1, "smtp.port", "whole number", "1 to 65535"),
    ("smtp: {host: h, security: ssl}", 1, "smtp.security", "none of starttls, tls, none", "Known here"),
    ("smtp: {host: h, security: none, username: u, password_env: P}", 1, "smtp", "unencrypted", "starttls"),
    ("smtp: {host: h, username: u, username_env: U}", 1, "smtp", "exclude each other", "Keep one"),
    ("smtp: {host: h, password_env: P}", 1, "smtp", "no user", "username"),
    ("fetch: {concurrency: 0}", 1, "fetch.concurrency", "whole number", "from 1"),
    ("fetch: {max_size: big}", 1, "fetch.max_size", "not a size", "10MB"),
    ("fetch: {jitter: 2}", 1, "fetch.jitter", "from 0 to 1", "share"),
    ("fetch: {timeouts: {conect: 1s}}", 1, "fetch.timeouts.conect", "unknown key", '"connect"'),
    ("slack: {api_url: slack.com}", 1, "slack.api_url", "http(s)", "whole address"),
    ("api: {public_url: 'http://a.b'}", 1, "api.public_url", "must be https", "TLS"),
    ("slack: {signing_secret_env: 8f742231b10e}", 1, "slack.signing_secret_env", "name of an environment variable", "capitals"),
    ("routes: [{name: A, to: {console: stdout}, hours: {zone: UTC}}]", 1, "routes[0].hours", '"open" is missing', "mon-fri"),
    ("routes: [{name: A, to: {console: stdout}, hours: {open: always}}]", 1, "routes[0].hours.open", "no hours", "mon-fri"),
    ("routes: [{name: A, to: {console: stdout}, hours: {open: '08:00-18:00', zone: Berlin}}]", 1, "routes[0].hours.zone", "no time zone", "Europe/Berlin"),
    ("routes: [{name: A, to: {console: stdout}, hours: {open: '08:00-18:00', urgent: dire}}]", 1, "routes[0].hours.urgent", "none of", "Known"),
    ("broker: redis://x", 1, "broker", "no broker that we know", "kafka://"),
    ("broker: 'embedded://log.db'", 1, "broker", "no broker that we know", "embedded:///"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "key", "fact", "remedy"),
    BAD,
    ids=[f"{n}-{case[2] or 'file'}" for n, case in enumerate(BAD)],
)
def test_bad_configuration_is_told(text: str, line: int, key: str, fact: str, remedy: str) -> None:
    """Every error names file, line and key, what is wrong, and what to do."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings(text)
    told = [(one.line, one.key, fact in one.args[0] and remedy in one.remedy) for one in caught.value.errors]
    assert (line, key, True) in told, str(caught.value)
    assert str(caught.value).startswith("/etc/cw/clausewire.yaml:")


def test_all_errors_at_once() -> None:
    """One run tells everything, in the order of the lines."""
    text = "dta: x\ndocuments:\n  - service: X\n    url: nowhere\nfetch: {jitter: much}\n"
    with pytest.raises(config.ConfigErrors) as caught:
        settings(text)
    assert [error.line for error in caught.value.errors] == [1, 3, 4, 5]
    assert len(str(caught.value).splitlines()) == 4


def test_one_mistake_one_error() -> None:
    """A mistake is told once, not again by everything that depends on it."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings(GOOD.replace("host: mail.example.org", "hots: mail.example.org"))
    assert [error.key for error in caught.value.errors] == ["smtp.hots", "smtp"]


@pytest.mark.parametrize("data", [b"data: caf\xe9\n", b"\xff\xfe\x00", b"data: x\n# \x80\n"])
def test_other_encodings_are_told(data: bytes) -> None:
    """A file that is not UTF-8 is told with the line where it stops being it."""
    with pytest.raises(config.ConfigErrors, match="not UTF-8") as caught:
        config.parse(data, Path("c.yaml"), {})
    assert caught.value.line == (2 if data.startswith(b"data: x") else 1)


def test_byte_order_mark_is_fine() -> None:
    """An editor's byte order mark is no mistake."""
    assert config.parse(b"\xef\xbb\xbfdata: x\n", Path("/a/c.yaml"), {}).data == Path("/a/x")


@pytest.mark.parametrize(
    "text", ["data: &a [*a]\n", "documents: &a\n  - &b {service: *b}\n", "a: " + "[" * 3000]
)
def test_hostile_yaml_is_told(text: str) -> None:
    """A file that refers to itself, or is nested without end, is an error like any other."""
    with pytest.raises(config.ConfigErrors):
        settings(text)


def test_unknown_tags_run_nothing() -> None:
    """A tag that would build an object elsewhere is only text that is not expected."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings("data: !!python/object/apply:os.system ['true']\n")
    assert re.search("text is expected", str(caught.value))
