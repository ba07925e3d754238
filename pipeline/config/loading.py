"""The whole, in order: read the file, make its sections, gather the secrets that they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pipeline.config import routes, secrets, sections
from pipeline.config.bodies import blobs
from pipeline.config.kafka import kafka
from pipeline.config.model import SecretUse, Settings
from pipeline.config.reading import Problems, Table, document
from pipeline.config.rewriting import rewriter
from pipeline.config.values import LITERAL_SECRETS
from pipeline.errors import ConfigError

KEYS = (
    "broker",
    "data",
    "blobs",
    "secrets_file",
    "fetch",
    "smtp",
    "slack",
    "api",
    "kafka",
    "summary",
    "documents",
    "feeds",
    "watches",
    "routes",
)


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """Return the settings of a file and an environment.

    CLAUSEWIRE_BROKER, CLAUSEWIRE_DATA and CLAUSEWIRE_SECRETS_FILE of the environment go before the file's
    keys. Paths of the file are relative to it. Raises ConfigErrors with all that is wrong; a secret that
    is not set is not among it, see Settings.missing_secrets.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        remedy = "Write an example with: clausewire init" if missing else "Check the path"
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path), remedy=remedy) from None
    return parse(data, path, env)


def parse(data: bytes, path: Path, env: Mapping[str, str]) -> Settings:
    """Return the settings that a file's bytes spell; `path` is where they stand. Raises as load does."""
    problems = Problems(str(path))
    root = document(data, problems).table(KEYS, forbidden=LITERAL_SECRETS)
    settings = _settings(root, path.absolute(), env) if root else None
    problems.check()
    assert settings is not None, "a root that is no table is a problem"
    return settings


def _settings(root: Table, path: Path, env: Mapping[str, str]) -> Settings:
    base = path.parent
    data = _path(root, "data", env.get("CLAUSEWIRE_DATA"), base) or base / ".clausewire"
    smtp = sections.smtp(root.get("smtp"), base)
    documents = sections.unique(root.get("documents"), sections.document)
    watches = sections.unique(root.get("watches"), sections.watched)
    known = routes.Known(
        documents=documents,
        watches=watches,
        categories=routes.categories(),
        sender=smtp.sender if smtp else "",
        has_smtp="smtp" in root,
        base=base,
    )
    broker_options = kafka(root.get("kafka"), base)
    reworded, slack = rewriter(root.get("summary")), sections.slack(root.get("slack"))
    places = sections.unique(root.get("routes"), lambda item: routes.route(item, known))
    # After every section that names secrets: each notes them as it is read.
    uses = tuple(SecretUse(name=name, line=line, key=key) for name, line, key in root.item.problems.secrets)
    file = _path(root, "secrets_file", env.get("CLAUSEWIRE_SECRETS_FILE"), base)
    return Settings(
        file=path,
        data=data,
        broker=_broker(root, env, data),
        documents=documents,
        feeds=sections.unique(root.get("feeds"), sections.feed),
        watches=watches,
        routes=places,
        fetch=sections.fetch(root.get("fetch")),
        smtp=smtp,
        slack=slack,
        api=sections.api(root.get("api")),
        kafka=broker_options,
        blobs=blobs(root.get("blobs")),
        rewriter=reworded,
        secret_uses=uses,
        secrets_file=file,
        secrets=secrets.gather(frozenset(use.name for use in uses) | secrets.OWN, env, file),
    )


def _path(root: Table, key: str, override: str | None, base: Path) -> Path | None:
    """Return a path of the environment (relative to where we run) or of the file (relative to the file)."""
    if override:
        return Path(override).absolute()
    found = root.get(key)
    written = found.text() if found else ""
    return base / Path(written).expanduser() if written else None


def _broker(root: Table, env: Mapping[str, str], data: Path) -> str:
    """Return the broker's URL: embedded:///absolute/path or kafka://host:port;kafka://host:port."""
    found = root.get("broker")
    written = env.get("CLAUSEWIRE_BROKER") or (found.text() if found else "")
    if not written or written == "embedded":
        return f"embedded://{quote(str(data / 'log.db'))}"
    if _is_broker(written):
        return written
    fact = f'"{written[:60]}" is no broker that we know'
    remedy = "Write embedded:///path/to/log.db or kafka://host:9092"
    if found and not env.get("CLAUSEWIRE_BROKER"):
        found.wrong(fact, remedy)
        return ""
    raise ConfigError(fact, key="CLAUSEWIRE_BROKER", remedy=remedy)


def _is_broker(url: str) -> bool:
    if url.startswith("embedded:///"):
        return len(url) > len("embedded:///")
    hosts = url.split(";")
    return all(host.startswith("kafka://") and len(host) > len("kafka://") for host in hosts)
