"""Getting into a Kafka that asks who one is: SASL and TLS, against a real broker, and what is said when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pipeline.adapters.kafka.history import KafkaHistory
from pipeline.adapters.kafka.start import Kafka, kafka_of
from pipeline.config import parse
from pipeline.errors import ConfigError, PipelineError, StoreError
from tests.flow.line import a_clause_is_added, line, page
from tests.kafka import cluster, free_port

pytestmark = pytest.mark.kafka
ENV = {"KAFKA_USER": "clausewire", "KAFKA_PASSWORD": "only-for-this-test"}
SASL = "username_env: KAFKA_USER, password_env: KAFKA_PASSWORD"
JAAS = "org.apache.kafka.common.security"


class Secured:
    """A broker that listens in every way, and the certificates that go with it."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder = folder
        self.ports = ports

    def kafka(self, protocol: str, words: str, env: dict[str, str] | None = None) -> Kafka:
        """The connection that a configuration file spells."""
        keys = [f"security_protocol: {protocol}", f"prefix: {protocol.lower()}.", "partitions: 1", "wait: 1s"]
        table = ", ".join([*keys, words] if words else keys)
        text = f"broker: kafka://127.0.0.1:{self.ports[protocol]}\nkafka: {{{table}}}\n"
        return kafka_of(parse(text.encode(), self.folder / "clausewire.yaml", ENV if env is None else env))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """One node with a listener for each security protocol."""
    folder = tmp_path_factory.mktemp("secured")
    certificates(folder)
    ports = {name: free_port() for name in ("SASL_PLAINTEXT", "SASL_SSL", "SSL")}
    user, password = ENV["KAFKA_USER"], ENV["KAFKA_PASSWORD"]
    plain = f'{JAAS}.plain.PlainLoginModule required user_{user}="{password}";'
    scram = f"{JAAS}.scram.ScramLoginModule required;"
    settings = {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.ssl.ssl.client.auth": "required",
    }
    for listener in ("sasl_plaintext", "sasl_ssl"):
        settings[f"listener.name.{listener}.plain.sasl.jaas.config"] = plain
        for size in ("256", "512"):
            settings[f"listener.name.{listener}.scram-sha-{size}.sasl.jaas.config"] = scram
    known = tuple(f"SCRAM-SHA-{size}=[name={user},password={password}]" for size in ("256", "512"))
    with cluster(folder / "cluster", settings=settings, listeners=ports, scram=known):
        yield Secured(folder, ports)


def certificates(folder: Path) -> None:
    """An authority, a broker and a client that it knows, and an authority that nobody knows."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other-ca.pem")
    broker = authority.issue_cert("127.0.0.1", "localhost", key_type=trustme.KeyType.RSA)
    client = authority.issue_cert("clausewire.example")
    key = load_pem_private_key(broker.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(pem.bytes() for pem in broker.cert_chain_pems)
    (folder / "broker.pem").write_bytes(pkcs8 + chain)
    client.private_key_pem.write_to_path(folder / "client.key")
    (folder / "client.pem").write_bytes(b"".join(pem.bytes() for pem in client.cert_chain_pems))


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("SASL_PLAINTEXT", f"sasl_mechanism: PLAIN, {SASL}"),
        ("SASL_PLAINTEXT", f"sasl_mechanism: SCRAM-SHA-256, {SASL}"),
        ("SASL_SSL", f"sasl_mechanism: SCRAM-SHA-512, ca_file: ca.pem, {SASL}"),
        ("SSL", "ca_file: ca.pem, cert_file: client.pem, key_file: client.key"),
    ],
    ids=["plain", "scram-256", "scram-512-tls", "client-certificate"],
)
async def test_line_runs_secured(tmp_path: Path, secured: Secured, protocol: str, words: str) -> None:
    """With the right credentials the whole line runs, and its history can be read."""
    kafka = secured.kafka(protocol, words)
    async with line(tmp_path, kafka=kafka) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(a_clause_is_added(), day=1)
        await run.sent(1)
    with KafkaHistory(kafka) as history:
        assert history.topics()["pages.fetched"] >= 4
        history.drop("")


@pytest.mark.parametrize(
    ("protocol", "words", "env", "error", "told"),
    [
        ("SASL_PLAINTEXT", SASL, {**ENV, "KAFKA_PASSWORD": "wrong"}, ConfigError, "refuses our credentials"),
        ("SASL_SSL", f"ca_file: other-ca.pem, {SASL}", ENV, ConfigError, "TLS"),
        ("SSL", "ca_file: ca.pem", ENV, PipelineError, "Kafka"),
        ("SSL", "ca_file: absent.pem", ENV, ConfigError, "absent.pem"),
    ],
    ids=["password", "authority", "no-certificate", "no-file"],
)
async def test_refusal_is_told(
    tmp_path: Path, secured: Secured, protocol: str, words: str, env: dict[str, str], error: type, told: str
) -> None:
    """Wrong credentials end the start at once, with the reason and without the secret."""
    with pytest.raises(error, match=told) as refused:
        await secured.kafka(protocol, words, env).prepare(data=tmp_path, group="g")
    assert not any(secret in str(refused.value) for secret in ("wrong", ENV["KAFKA_PASSWORD"]))


async def test_silence_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broker that does not answer is waited for, with a line that says so, and not for ever."""
    with pytest.raises(StoreError, match="does not answer"):
        await (
            Secured(tmp_path, {"PLAINTEXT": free_port()})
            .kafka("PLAINTEXT", "")
            .prepare(data=tmp_path, group="g")
        )
    assert "kafka.unreachable" in capsys.readouterr().out
