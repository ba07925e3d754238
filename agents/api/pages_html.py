"""The pages of an alert as HTML: one style sheet inside, no script, nothing loaded from anywhere."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agents.api import pages_proof, pages_view
from agents.dossier import Dossier, Exhibit
from pipeline.events import Value

STYLE = "style.css"


class Doors(Value, frozen=True, kw_only=True):
    """Where an alert's other pages and files lie, as a page links them; an empty one is not shown.

    `pages` are by side (old, new), each with `page` and `text`.
    """

    redline: str = ""
    evidence: str = ""
    bundle: str = ""
    pages: dict[str, dict[str, str]] = {}


def redline(found: Dossier, *, doors: Doors, alone: bool = False) -> str:
    """Return the page of the full redline; `alone` for a file, which brings its own Content-Security-Policy."""
    return _rendered("redline.html", pages_view.redline(found), doors, alone)


def evidence(
    found: Dossier, shown: Sequence[Exhibit], now: datetime, *, doors: Doors, alone: bool = False
) -> str:
    """Return the page of the evidence, looked at again at `now`."""
    return _rendered("evidence.html", pages_proof.evidence(found, shown, now), doors, alone)


def message(title: str, text: str) -> str:
    """Return a page that says one thing."""
    return _rendered("message.html", {"subject": title, "text": text, "state": None}, Doors(), alone=False)


def policy() -> str:
    """Return the Content-Security-Policy of these pages: their one style sheet, and nothing else."""
    digest = b64encode(hashlib.sha256(str(_style()).encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _rendered(template: str, values: Mapping[str, Any], doors: Doors, alone: bool) -> str:
    more = {"links": doors, "style": _style(), "policy": policy() if alone else ""}
    return _templates().get_template(template).render({**values, **more})


@cache
def _style() -> Markup:
    source, _, _ = _loader().get_source(_templates(), STYLE)
    return Markup(source)


@cache
def _templates() -> Environment:
    return Environment(
        loader=_loader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _loader() -> PackageLoader:
    return PackageLoader("agents.api")
