"""The block `kafka:`: how topics are made, and how the connection is secured, in the words Kafka's own clients use."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.config.model import KafkaSettings
from pipeline.config.reading import Item, Table
from pipeline.config.sections import choice
from pipeline.config.values import LITERAL_SECRETS, duration, env_name

KAFKA_KEYS = (
    "create_topics",
    "prefix",
    "partitions",
    "replication",
    "wait",
    "session_timeout",
    "store",
    "security_protocol",
    "sasl_mechanism",
    "username_env",
    "password_env",
    "ca_file",
    "cert_file",
    "key_file",
    "key_password_env",
)
STORES = ("memory", "rocksdb")
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
SHORTEST_SESSION_S, LONGEST_SESSION_S = 6.0, 300.0  # what a broker allows by default is 6 s to 30 min


def kafka(item: Item | None, base: Path) -> KafkaSettings:
    """Return how Kafka is used; relative paths are relative to the file."""
    table = item.table(KAFKA_KEYS, forbidden=LITERAL_SECRETS) if item else None
    if table is None:
        return KafkaSettings()
    settings = KafkaSettings(
        create_topics=_flag(table, "create_topics"),
        prefix=_prefix(table),
        partitions=_number(table, "partitions", default=8, most=1000),
        replication=_number(table, "replication", default=0, most=9),
        wait_s=_seconds(table, "wait", 60.0),
        session_timeout_s=_seconds(table, "session_timeout", 10.0),
        store=_word(table, "store", STORES),
        security_protocol=_word(table, "security_protocol", PROTOCOLS),
        sasl_mechanism=_word(table, "sasl_mechanism", MECHANISMS),
        username_env=_name(table, "username_env"),
        password_env=_name(table, "password_env"),
        ca_file=_file(table, "ca_file", base),
        cert_file=_file(table, "cert_file", base),
        key_file=_file(table, "key_file", base),
        key_password_env=_name(table, "key_password_env"),
    )
    _consistent(table, settings)
    return settings


def _consistent(table: Table, settings: KafkaSettings) -> None:
    sasl, tls = settings.security_protocol.startswith("SASL"), settings.security_protocol.endswith("SSL")
    if sasl and not (settings.username_env and settings.password_env):
        table.wrong("SASL needs a user and a password", "Add username_env: and password_env:")
    if not sasl and (settings.username_env or settings.password_env or "sasl_mechanism" in table):
        table.wrong(
            f"{settings.security_protocol} sends no user and password", "Write security_protocol: SASL_SSL"
        )
    if not tls and (settings.ca_file or settings.cert_file):
        table.wrong(f"{settings.security_protocol} uses no certificate", "Write security_protocol: SSL")
    if bool(settings.cert_file) != bool(settings.key_file):
        table.wrong("a client certificate is two files", "Give both cert_file: and key_file:")
    if not SHORTEST_SESSION_S <= settings.session_timeout_s <= LONGEST_SESSION_S:
        table.wrong(
            f"a session timeout of {settings.session_timeout_s:g} s",
            f"Write {SHORTEST_SESSION_S:g}s to {LONGEST_SESSION_S:g}s",
        )


def _prefix(table: Table) -> str:
    """Return the beginning of every name, such as `legal.`: what Kafka allows in the name of a topic."""
    found = table.get("prefix")
    written = found.text() if found else ""
    if found and not re.fullmatch(r"[A-Za-z0-9._-]{0,100}", written):
        found.wrong(
            f'"{written[:40]}" cannot begin the name of a topic', "Use letters, digits, dots and hyphens"
        )
        return ""
    return written


def _flag(table: Table, key: str) -> bool:
    found = table.get(key)
    return found.flag() if found else True


def _number(table: Table, key: str, *, default: int, most: int) -> int:
    found = table.get(key)
    return found.number(least=1, most=most) if found else default


def _seconds(table: Table, key: str, default: float) -> float:
    found = table.get(key)
    return duration(found) if found else default


def _word(table: Table, key: str, words: tuple[str, ...]) -> str:
    found = table.get(key)
    return choice(found, words) if found else words[0]


def _name(table: Table, key: str) -> str:
    found = table.get(key)
    return env_name(found) if found else ""


def _file(table: Table, key: str, base: Path) -> str:
    found = table.get(key)
    written = found.text() if found else ""
    return str(base / Path(written).expanduser()) if written else ""
