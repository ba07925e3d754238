"""The block `kafka:`: what it comes to, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.adapters.kafka.connection import connection_of
from pipeline.config import ConfigErrors, parse

FILE = Path("/etc/clausewire/clausewire.yaml")
ENV = {"KAFKA_USER": "u", "KAFKA_PASSWORD": "not-to-be-shown"}


def test_words_become_settings() -> None:
    """Names are Kafka's own; files are relative to the configuration."""
    text = b"""
broker: kafka://a:1,b:2
kafka:
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-512
  username_env: KAFKA_USER
  password_env: KAFKA_PASSWORD
  ca_file: ca.pem
  partitions: 12
  session_timeout: 15s
"""
    kafka = parse(text, FILE, ENV).kafka
    assert (kafka.sasl_mechanism, kafka.ca_file, kafka.partitions, kafka.session_timeout_s) == (
        "SCRAM-SHA-512",
        "/etc/clausewire/ca.pem",
        12,
        15.0,
    )


@pytest.mark.parametrize(("words", "store"), [("partitions: 2", "memory"), ("store: rocksdb", "rocksdb")])
def test_store_is_chosen(words: str, store: str) -> None:
    """Tables are held in memory unless the local disk is asked for."""
    assert parse(f"broker: kafka://a:1\nkafka: {{{words}}}\n".encode(), FILE, ENV).kafka.store == store


def test_secrets_do_not_show() -> None:
    """Neither the settings nor the connection shows a password."""
    words = "security_protocol: SASL_SSL, username_env: KAFKA_USER, password_env: KAFKA_PASSWORD"
    settings = parse(f"broker: kafka://a:1\nkafka: {{{words}}}\n".encode(), FILE, ENV)
    shown = f"{settings!r} {connection_of(settings)!r}"
    assert ENV["KAFKA_PASSWORD"] not in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("security_protocol: SASL", "is none of"),
        ("security_protocol: SASL_SSL", "needs a user and a password"),
        ("sasl_mechanism: PLAIN", "sends no user and password"),
        ("ca_file: ca.pem", "uses no certificate"),
        ("security_protocol: SSL, cert_file: c.pem", "two files"),
        ("session_timeout: 1s", "session timeout"),
        ("partitions: 0", "1 to 1000"),
        ("store: disk", "is none of"),
        ("prefix: a b", "cannot begin"),
        ("password: x", "does not belong"),
        ("sasl_mechanisms: PLAIN", "Did you mean"),
    ],
)
def test_mistake_is_told(words: str, told: str) -> None:
    """A mistake is told with its line and what to write."""
    with pytest.raises(ConfigErrors, match=told) as errors:
        parse(f"broker: kafka://a:1\nkafka: {{{words}}}\n".encode(), FILE, ENV)
    assert ":2" in str(errors.value)
