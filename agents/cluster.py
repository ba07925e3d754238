"""Apache Kafka from its own jars on loopback, for people without Docker and for the tests: one node, or three.

A cluster lives in one folder: `libs` (pinned jars, brought by Maven, checked against SHA-256 sums), and per node its
configuration, data, log and process id. KRaft combined mode: every node is broker and controller.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.kafka import PROTOCOLS
from pipeline.errors import ConfigError, PipelineError, StoreError

DEPLOY = Path(__file__).parents[1] / "deploy" / "kafka"
CLUSTER_ID = "Y2xhdXNld2lyZS1sb2NhbA"  # 16 bytes of base64: what StorageTool asks for
HEAP = "-Xmx512m"
UP_WITHIN_S = 90.0
DOWN_WITHIN_S = 20.0
HOST = "127.0.0.1"


class ClusterError(PipelineError):
    """Kafka cannot be brought, started or stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One broker: its number from 1, where it listens, and its folder."""

    number: int
    folder: Path
    port: int
    controller: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / "server.properties"

    @property
    def pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def log(self) -> Path:
        return self.folder / "kafka.log"

    def pid(self) -> int | None:
        """Return the process id of the running node, None when it does not run."""
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if _is_alive(pid) else None

    def listens(self) -> bool:
        """Say whether the broker's port answers."""
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((HOST, self.port)) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster in a folder: `settings` go into every node's configuration, `listeners` beside the plain one.

    `listeners` maps a security protocol (SSL, SASL_PLAINTEXT, SASL_SSL) to the first node's port for it, or any other
    name to a plain one more; `advertised` maps one of these to the first node's port under which clients are told to
    find it, such as a proxy's. `jvm` are options such as a JAAS file.
    """

    folder: Path
    nodes: int = 1
    port: int = 9092
    settings: Mapping[str, str] = field(default_factory=dict)
    listeners: Mapping[str, int] = field(default_factory=dict)
    advertised: Mapping[str, int] = field(default_factory=dict)
    jvm: tuple[str, ...] = ()
    scram: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[Node, ...]:
        return tuple(
            Node(
                number=number,
                folder=self.folder / f"node-{number}",
                port=self.port + 10 * (number - 1),
                controller=self.port + 10 * (number - 1) + 1,
            )
            for number in range(1, self.nodes + 1)
        )

    @property
    def bootstrap(self) -> str:
        return ",".join(node.address for node in self.members)

    def up(self) -> None:
        """Bring the jars, format what is new, start every node and wait until all answer."""
        bring_jars(self.folder / "libs")
        for node in self.members:
            self.prepare(node)
            self.start(node)
        self.wait(self.members)

    def down(self) -> None:
        """Stop every node, first politely."""
        for node in self.members:
            self.stop(node)

    def prepare(self, node: Node) -> None:
        """Write a node's configuration and format its data folder, unless it is formatted."""
        node.folder.mkdir(parents=True, exist_ok=True)
        node.config.write_text(self._properties(node), encoding="utf-8")
        if not (node.folder / "data" / "meta.properties").exists():
            scram = [word for credential in self.scram for word in ("--add-scram", credential)]
            formatted = self._java(
                "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(node.config), *scram
            )
            done = subprocess.run(formatted, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ClusterError(
                    f"the data folder of node {node.number} cannot be formatted: {done.stderr[-500:]}"
                )

    def start(self, node: Node) -> None:
        """Start a node that does not run."""
        if node.pid() is not None:
            return
        if node.listens():
            raise ClusterError(
                f"port {node.port} is taken", remedy="stop what listens there, or choose another --port"
            )
        with node.log.open("ab") as log:
            process = subprocess.Popen(
                self._java("kafka.Kafka", str(node.config)),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        node.pid_file.write_text(str(process.pid))
        process.returncode = 0  # from here on it is followed by its pid file, and outlives us

    def stop(self, node: Node, *, kill: bool = False) -> None:
        """Stop a node: ask, wait, then force; or force at once."""
        pid = node.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
        end = time.monotonic() + DOWN_WITHIN_S
        while _is_alive(pid):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                end = float("inf")
            time.sleep(0.1)
        node.pid_file.unlink(missing_ok=True)

    def wait(self, nodes: Iterable[Node]) -> None:
        """Wait until nodes answer; StoreError with the end of the log of one that does not."""
        end = time.monotonic() + UP_WITHIN_S
        for node in nodes:
            while not node.listens():
                if node.pid() is None or time.monotonic() > end:
                    raise StoreError(
                        f"Kafka node {node.number} does not answer on {node.address}: {_tail(node.log)}",
                        remedy=f"read {node.log}",
                    )
                time.sleep(0.1)

    def _properties(self, node: Node) -> str:
        voters = ",".join(f"{member.number}@{HOST}:{member.controller}" for member in self.members)
        replicas = str(min(3, self.nodes))
        offset = node.port - self.port
        extra = {name: port + offset for name, port in self.listeners.items()}
        listeners = {"PLAINTEXT": node.port, **extra}
        told = {**listeners, **{name: port + offset for name, port in self.advertised.items()}}
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(node.number),
            "controller.quorum.voters": voters,
            "listeners": ",".join(
                f"{name}://{HOST}:{port}"
                for name, port in {**listeners, "CONTROLLER": node.controller}.items()
            ),
            "advertised.listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in told.items()),
            "listener.security.protocol.map": ",".join(
                f"{name}:{name if name in PROTOCOLS else 'PLAINTEXT'}" for name in (*listeners, "CONTROLLER")
            ),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(node.folder / "data"),
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": "1",
            "default.replication.factor": replicas,
            "min.insync.replicas": "2" if self.nodes >= 3 else "1",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "8",
            "log.retention.check.interval.ms": "300000",
            **self.settings,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _java(self, main: str, *words: str) -> list[str]:
        java = shutil.which("java")
        if java is None:
            raise ClusterError("there is no java on this machine", remedy="install a Java 17 runtime")
        return [
            java,
            HEAP,
            "-Xlog:disable",
            *self.jvm,
            "-cp",
            f"{DEPLOY}:{self.folder / 'libs'}/*",
            main,
            *words,
        ]


def bring_jars(libs: Path) -> None:
    """Have Maven bring the pinned jars into a folder, once, and check each against its SHA-256 sum."""
    sums = dict(_sums((DEPLOY / "jars.sha256").read_text(encoding="utf-8")))
    if not all((libs / name).exists() for name in sums):
        _fetch(libs)
    for name, expected in sums.items():
        if hashlib.sha256((libs / name).read_bytes()).hexdigest() != expected:
            raise ClusterError(f"{libs / name} is not the pinned jar", remedy="delete it and start again")


def _fetch(libs: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ClusterError(
            "there is no Maven on this machine",
            remedy="install Maven, or point `broker:` at a Kafka of your own",
        )
    command = [maven, "-q", "-B", "-f", str(DEPLOY / "pom.xml"), "dependency:copy-dependencies"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={libs.resolve()}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ClusterError(f"Maven could not bring Kafka's jars: {(done.stdout + done.stderr)[-500:]}")


def _sums(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        expected, _, name = line.partition("  ")
        yield name.strip(), expected


def _is_alive(pid: int) -> bool:
    try:
        done, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        done = 0
    if done:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _tail(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[-400:]
    except OSError as error:
        return str(error)


def check_nodes(nodes: int) -> None:
    """Refuse a number of nodes that makes no quorum."""
    if nodes not in {1, 3}:
        raise ConfigError(f"a cluster of {nodes} nodes", remedy="use --nodes 1 or --nodes 3")
