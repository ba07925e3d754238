"""Secrets by name: from the environment, from a file that the environment names, or from one secrets file.

A secret NAME is looked up as the variable NAME, then as the contents of the file that NAME_FILE names (as
container platforms mount them), then as a line NAME=value of the secrets file. Values never show in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import ConfigError

OWN = frozenset({"CLAUSEWIRE_SECRET_KEY"})  # asked for by no line of the file


class Secrets:
    """A read-only table of secrets that tells its names and never its values by accident."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __contains__(self, name: object) -> bool:
        return bool(self._values.get(str(name)))

    def __getitem__(self, name: str) -> str:
        """Return the secret; ConfigError when it is not set or empty."""
        if value := self._values.get(name):
            return value
        raise ConfigError(
            f"the secret {name} is not set",
            remedy=remedy(name),
        )

    def get(self, name: str, default: str = "") -> str:
        """Return the secret, or the default when it is not set."""
        return self._values.get(name) or default

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secrets) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"


def remedy(name: str) -> str:
    """Return what to do about a secret that is not set."""
    return f"Set {name} in the environment or in a secrets file, or {name}_FILE to a file that holds it"


def gather(names: frozenset[str], env: Mapping[str, str], file: Path | None) -> Secrets:
    """Return the named secrets, as far as they are set; ConfigError when a file of them cannot be read."""
    kept = parse_secrets(_text(file), file) if file else {}
    found = {name: _lookup(name, env, kept) for name in names}
    return Secrets({name: value for name, value in found.items() if value})


def _lookup(name: str, env: Mapping[str, str], kept: Mapping[str, str]) -> str:
    if env.get(name):
        return env[name]
    if path := env.get(f"{name}_FILE"):
        return _text(Path(path)).strip()
    return kept.get(name, "")


def parse_secrets(text: str, file: Path) -> dict[str, str]:
    """Return the NAME=value lines of a secrets file; `#` starts a comment, quotes are dropped."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip().removeprefix("export ")
        if not words or words.startswith("#"):
            continue
        name, equals, value = words.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigError(
                "this line is not NAME=value",  # its words are not repeated: they may be half a secret
                file=str(file),
                line=number,
                remedy="Write one NAME=value per line",
            )
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"the secrets file cannot be read: {reason}",
            file=str(path),
            remedy="Check the path and its permissions",
        ) from None
