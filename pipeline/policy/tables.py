"""The tables that meaning rests on: packaged JSON files, read once and kept.

They are data so that a person can review them without reading code: categories with their seeds, regulations,
names of months, units of time, currencies and verbs.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@cache
def table(name: str) -> dict[str, Any]:
    """Return the packaged table of that name, such as `months`."""
    loaded: dict[str, Any] = json.loads((DEPLOY / "taxonomy" / f"{name}.json").read_text(encoding="utf-8"))
    return loaded
