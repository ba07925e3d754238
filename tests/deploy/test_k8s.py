"""The manifests for Kubernetes: of the schemas' shape, joined to each other, and running what the program offers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from agents.__main__ import app
from pipeline import config

FOLDER = Path(__file__).parents[2] / "deploy" / "k8s"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
WORKLOADS = {"clausewire-worker": "worker", "clausewire-poller": "poll"}
SCHEMAS = ("1.29", "1.33", "1.37")
COMPONENT = yaml.safe_load((FOLDER / "components" / "s3" / "kustomization.yaml").read_text())


def manifests(*files: str) -> Iterator[dict[str, Any]]:
    """Yield the documents of files."""
    for file in files:
        yield from yaml.safe_load_all((FOLDER / file).read_text())


APPLIED = list(manifests(*KUSTOMIZATION["resources"]))
ALL = [*APPLIED, *manifests("secret.example.yaml")]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in ALL if one["kind"] == kind}


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = named("Deployment")[name]["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    (only,) = pod(name)["containers"]
    assert isinstance(only, dict)
    return only


def patched(manifest: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a manifest with a JSON patch (RFC 6902: test, remove, add) applied."""
    changed = deepcopy(manifest)
    for one in operations:
        *path, last = one["path"].strip("/").split("/")
        place: Any = changed
        for word in path:
            place = place[int(word)] if isinstance(place, list) else place[word]
        if one["op"] == "remove":
            del place[last]
        elif one["op"] == "add":
            place[last] = one["value"]
        else:
            assert (one["op"], place[last]) == ("test", one["value"])
    return changed


def in_a_bucket() -> list[dict[str, Any]]:
    """Return what is applied with the component of the bucket."""
    kept = list(APPLIED)
    for patch in COMPONENT["patches"]:
        target, body = patch["target"], yaml.safe_load(patch["patch"])
        hit = [
            one
            for one in kept
            if one["kind"] == target["kind"] and re.fullmatch(target["name"], one["metadata"]["name"])
        ]
        assert hit, target
        kept = [one for one in kept if one not in hit]
        if not isinstance(body, dict):
            kept += [patched(one, body) for one in hit]
    return kept


@pytest.mark.parametrize("version", SCHEMAS)
def test_bucket_needs_no_volume(version: str) -> None:
    """With bodies in a bucket no volume is claimed, every pod keeps its mounts, and the schemas hold."""
    schemas = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    found = in_a_bucket()
    for one in found:
        schemas.validate(one, version, strict=True)
    assert "PersistentVolumeClaim" not in {one["kind"] for one in found}
    assert "persistentVolumeClaim" not in str(found)
    for one in (one for one in found if one["kind"] == "Deployment"):
        spec = one["spec"]["template"]["spec"]
        mounts = {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert mounts == {volume["name"] for volume in spec["volumes"]}


def test_bucket_in_the_configuration() -> None:
    """The line that the component asks for is one that the configuration takes."""
    said = (FOLDER / "components" / "s3" / "kustomization.yaml").read_text()
    (line,) = re.findall(r"(?m)^#   (blobs: .*)$", said)
    text = named("ConfigMap")["clausewire-config"]["data"]["clausewire.yaml"]
    env = named("ConfigMap")["clausewire-environment"]["data"]
    assert config.parse(f"{text}\n{line}\n".encode(), Path("/etc/clausewire.yaml"), env).blobs


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("manifest", ALL, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_schema_holds(manifest: dict[str, Any], version: str) -> None:
    """Every manifest is valid by Kubernetes' own schema, with no field that it does not know."""
    schemas = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    schemas.validate(manifest, version, strict=True)


def test_everything_is_applied() -> None:
    """Every file of the folder is part of the kustomization, but for the example of the secrets."""
    files = {file.name for file in FOLDER.glob("*.yaml")}
    assert files == {*KUSTOMIZATION["resources"], "kustomization.yaml", "secret.example.yaml"}


def test_kinds_are_there() -> None:
    """Workers and pollers each have a deployment, a service for metrics and a budget for disruptions."""
    assert set(named("Deployment")) == set(WORKLOADS) == set(named("PodDisruptionBudget"))
    assert set(named("Service")) == {f"{name}-metrics" for name in WORKLOADS}


def test_no_namespace_is_fixed() -> None:
    """The manifests go into whatever namespace they are applied to."""
    assert not [one for one in ALL if "namespace" in one["metadata"]]
    assert "namespace" not in KUSTOMIZATION


@pytest.mark.parametrize(("name", "command"), WORKLOADS.items())
def test_command_exists(name: str, command: str) -> None:
    """What a container runs is a command of ours with options that it has."""
    first, *options = container(name)["args"]
    offered = get_command(app).get_command(None, first)  # type: ignore[attr-defined]
    known = {option for parameter in offered.params for option in parameter.opts}
    assert first == command
    assert {option for option in options if option.startswith("--")} <= known


@pytest.mark.parametrize("name", WORKLOADS)
def test_environment_is_read(name: str) -> None:
    """The variables set are those that the command, or the configuration, reads."""
    offered = get_command(app).get_command(None, WORKLOADS[name])  # type: ignore[attr-defined]
    read = {parameter.envvar for parameter in offered.params} | {"CLAUSEWIRE_BROKER", "CLAUSEWIRE_DATA"}
    assert set(named("ConfigMap")["clausewire-environment"]["data"]) <= read


@pytest.mark.parametrize("name", WORKLOADS)
def test_probes_ask_what_is_served(name: str) -> None:
    """Probes and service lead to the port that the environment sets, and to the paths that are answered."""
    one, port = (
        container(name),
        named("ConfigMap")["clausewire-environment"]["data"]["CLAUSEWIRE_METRICS_PORT"],
    )
    paths = {kind: one[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    assert one["ports"] == [{"name": "metrics", "containerPort": int(port)}]
    (served,) = named("Service")[f"{name}-metrics"]["spec"]["ports"]
    assert (served["port"], served["targetPort"]) == (int(port), "metrics")


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget"])
@pytest.mark.parametrize("name", WORKLOADS)
def test_selectors_meet_pods(kind: str, name: str) -> None:
    """Services and budgets select the pods of one deployment and no others."""
    (one,) = (found for found_name, found in named(kind).items() if found_name.startswith(name))
    wanted = one["spec"]["selector"].get("matchLabels", one["spec"]["selector"])
    labels = {
        other: deployment["spec"]["template"]["metadata"]["labels"]
        for other, deployment in named("Deployment").items()
    }
    assert [other for other, has in labels.items() if wanted.items() <= has.items()] == [name]


@pytest.mark.parametrize("name", WORKLOADS)
def test_references_resolve(name: str) -> None:
    """Volumes, maps and secrets that a pod names are there."""
    one, spec = container(name), pod(name)
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    sources = [source for entry in one["envFrom"] for source in entry.values()]
    assert {mount["name"] for mount in one["volumeMounts"]} == set(volumes)
    assert volumes["config"]["configMap"]["name"] in named("ConfigMap")
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] in named("PersistentVolumeClaim")
    assert {source["name"] for source in sources} <= {*named("ConfigMap"), *named("Secret")}


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_are_bounded(name: str) -> None:
    """A pod states what it needs, cannot take the node's memory, and can do nothing but run the program."""
    one, spec = container(name), pod(name)
    assert set(one["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in one["resources"]["limits"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_secrets_have_no_values() -> None:
    """The example names secrets and holds none, and is never applied over real ones."""
    assert set(named("Secret")["clausewire-secrets"]["stringData"].values()) == {""}
    assert "Secret" not in {one["kind"] for one in APPLIED}


def test_example_configuration_is_read() -> None:
    """The example of what to watch is a valid configuration on Kafka, and its secrets are among those named."""
    text = named("ConfigMap")["clausewire-config"]["data"]["clausewire.yaml"]
    env = named("ConfigMap")["clausewire-environment"]["data"]
    settings = config.parse(text.encode(), Path("/etc/clausewire/clausewire.yaml"), env)
    assert settings.broker.startswith("kafka://")
    assert str(settings.data) == "/var/lib/clausewire"
    wanted = {use.name for use in settings.secret_uses}
    assert wanted <= set(named("Secret")["clausewire-secrets"]["stringData"])


def test_image_is_set() -> None:
    """The kustomization names the image that both deployments run."""
    (image,) = KUSTOMIZATION["images"]
    assert {container(name)["image"] for name in WORKLOADS} == {image["name"]}
