"""The HTTP API before schemathesis, by the API's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable

from tests.judges.verdict import NotInstalledError


def violations() -> Iterable[str]:
    """Return what schemathesis finds in the API; NotInstalledError, since this version has none."""
    raise NotInstalledError(
        "this version has no HTTP API to fuzz", "nothing to install: it comes with the API"
    )
