"""The image: what the Dockerfile copies is there, what it installs is the lock's, and it runs as nobody in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = re.search(r"extras ([\w, ]+), none of its tests'", DOCKERFILE.replace("\n# ", " "))
IN_IMAGE = ["apprise", "dkim", "otel", "pdf", "rocksdb", "s3", "warc"]
PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)==(\S+?)(?: ;.*)? \\$")


def pins(file: Path) -> dict[str, set[str]]:
    """Return the versions that a lock pins, by name: more than one where Pythons differ."""
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall(file.read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


IMAGE, ALL = pins(ROOT / "deploy" / "requirements.lock"), pins(ROOT / "requirements.lock")


def wanted(extra: str) -> list[str]:
    listed = PROJECT["dependencies"] if not extra else PROJECT["optional-dependencies"].get(extra, [])
    return [canonicalize_name(Requirement(one).name) for one in listed]


def test_extras_are_told() -> None:
    """The Dockerfile says which extras are in the image."""
    assert EXTRAS
    assert EXTRAS[1].replace(" and ", ", ").split(", ") == IN_IMAGE


@pytest.mark.parametrize("extra", ["", *IN_IMAGE])
def test_dependencies_are_in_the_image(extra: str) -> None:
    """Whatever the program and those extras need is pinned."""
    assert set(wanted(extra)) <= set(IMAGE)


def test_pins_are_those_of_the_lock() -> None:
    """The image runs the versions that the tests ran with."""
    both = IMAGE.keys() & ALL.keys()
    assert len(both) > 50
    assert {name: IMAGE[name] - ALL[name] for name in both if not IMAGE[name] <= ALL[name]} == {}


def test_tests_stay_outside() -> None:
    """No tool of the tests is in the image."""
    assert not {"pytest", "mypy", "ruff", "moto", "hypothesis", "kubernetes-validate"} & set(IMAGE)


def test_everything_is_hashed() -> None:
    """Every pin is checked by hash."""
    text = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", text)
    assert not [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert "--require-hashes -r deploy/requirements.lock" in DOCKERFILE


def test_copied_files_are_there() -> None:
    """What is copied exists, and .dockerignore lets it through."""
    copied = [
        word for line in re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", DOCKERFILE) for word in line.split()
    ]
    let_through = re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"))
    assert copied
    assert all((ROOT / word).exists() for word in copied)
    assert {word.split("/")[0] for word in copied} <= set(let_through)


def test_base_is_one_that_we_run_on() -> None:
    """Both stages begin with one base, of a Python that the program supports."""
    (python,) = re.findall(r"(?m)^ARG PYTHON=python:(3\.\d+)-slim-\w+$", DOCKERFILE)
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    assert re.findall(r"(?m)^FROM (\S+)", DOCKERFILE) == ["${PYTHON}", "${PYTHON}"]


def test_nobody_in_particular_runs_it() -> None:
    """The program runs as a user of its own, by number the one that Kubernetes is told, and owns its data."""
    manifest = (ROOT / "deploy" / "k8s" / "workers.yaml").read_text(encoding="utf-8")
    (user,) = re.findall(r"useradd --uid (\d+)", DOCKERFILE)
    assert f"runAsUser: {user}" in manifest
    assert (
        DOCKERFILE.index("install -d -o clausewire")
        < DOCKERFILE.index("USER clausewire")
        < DOCKERFILE.index("VOLUME")
    )
