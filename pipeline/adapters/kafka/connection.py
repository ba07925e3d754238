"""Where a Kafka cluster is and how one gets in, as values; and the words for why one does not."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from yarl import URL

from pipeline.config import Settings
from pipeline.errors import ConfigError, PipelineError, StoreError

PORT = 9092
PROBE_S = 5.0
REFUSED = (
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A cluster's addresses (`host:port`) and what is shown at its door."""

    servers: tuple[str, ...]
    protocol: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    key_password: str = field(default="", repr=False)

    def options(self) -> dict[str, Any]:
        """Return keyword arguments that every aiokafka client takes; ConfigError for unusable certificate files."""
        return {"bootstrap_servers": list(self.servers), **self.security()}

    def security(self) -> dict[str, Any]:
        """Return the arguments that say how a connection is secured."""
        sasl = {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }
        return {
            "security_protocol": self.protocol,
            **({"ssl_context": self._tls()} if self.protocol.endswith("SSL") else {}),
            **(sasl if self.protocol.startswith("SASL") else {}),
        }

    def _tls(self) -> ssl.SSLContext:
        file = self.ca_file
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                file = f"{self.cert_file} with {self.key_file}"
                context.load_cert_chain(
                    self.cert_file, self.key_file or None, lambda: self.key_password or ""
                )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"the certificate file {file} cannot be used: {error}",
                key="kafka",
                remedy="give PEM files: ca_file, cert_file and key_file; key_password_env if the key is locked",
            ) from None
        return context


def connection_of(settings: Settings) -> Connection:
    """Return the connection that the settings ask for; ConfigError when a secret is not set."""
    kafka, secrets = settings.kafka, settings.secrets
    return Connection(
        servers=servers_of(settings.broker),
        protocol=kafka.security_protocol,
        mechanism=kafka.sasl_mechanism,
        username=secrets[kafka.username_env] if kafka.username_env else "",
        password=secrets[kafka.password_env] if kafka.password_env else "",
        ca_file=kafka.ca_file,
        cert_file=kafka.cert_file,
        key_file=kafka.key_file,
        key_password=secrets[kafka.key_password_env] if kafka.key_password_env else "",
    )


def servers_of(broker: str) -> tuple[str, ...]:
    """Return the addresses of `kafka://host:port;kafka://host:port`, also written `kafka://host:port,host:port`."""
    hosts = broker.replace(",", ";").split(";")
    urls = [URL(host if "://" in host else f"kafka://{host}") for host in hosts]
    return tuple(f"{url.host or '127.0.0.1'}:{url.port or PORT}" for url in urls)


def is_kafka(broker: str) -> bool:
    """Say whether a broker's URL names a Kafka cluster."""
    return broker.startswith("kafka://")


async def closed_door(connection: Connection) -> PipelineError:
    """Return why the cluster cannot be reached: ConfigError when it never will be so, StoreError when it may heal."""
    facts = []
    for server in connection.servers:
        error = await _knock(connection, server)
        if isinstance(error, ConfigError):
            return error
        facts.append(f"{server}: {error}")
    return StoreError(
        f"Kafka does not answer ({'; '.join(facts)})",
        remedy="see that it runs and that `broker:` names its address (clausewire doctor)",
    )


async def _knock(connection: Connection, server: str) -> Exception | str:
    host, _, port = server.rpartition(":")
    words = "see security_protocol, sasl_mechanism, username_env, password_env and the certificate files"
    try:
        async with asyncio.timeout(PROBE_S):
            conn = await create_conn(
                host, int(port), request_timeout_ms=int(PROBE_S * 1000), **connection.security()
            )
            conn.close()
        return "it answers, and then does not"
    except REFUSED as error:
        return ConfigError(
            f"Kafka at {server} refuses our credentials: {error}", key="kafka", remedy=words + " under kafka:"
        )
    except ssl.SSLError as error:
        return ConfigError(
            f"TLS with Kafka at {server} fails: {error}", key="kafka", remedy=words + " under kafka:"
        )
    except TimeoutError:
        return f"no answer within {PROBE_S:g} s"
    except (OSError, KafkaError) as error:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            return ConfigError(
                f"TLS with Kafka at {server} fails: {cause}", key="kafka", remedy=words + " under kafka:"
            )
        return str(error) or type(error).__name__
