"""The command that says whether an endpoint would be accepted, before the 58 addresses of the SSRF survey."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.judges.tools import run

ADDRESSES = Path(__file__).with_name("addresses.txt")


def wanted() -> dict[str, bool]:
    """Return the URLs of the survey, and of each whether it is to be accepted."""
    lines = [line.split() for line in ADDRESSES.read_text().splitlines() if not line.startswith("#")]
    return {url: kind == "good" for kind, url in lines}


def misjudged() -> list[str]:
    """Return the URLs that `clausewire subscriptions check --batch` judges wrongly, or gives no reason for."""
    urls = wanted()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as batch:
        batch.write("\n".join(urls) + "\n")
        batch.flush()
        command = [sys.executable, "-m", "agents", "subscriptions", "check", "--batch", batch.name, "--json"]
        answers = [json.loads(line) for line in run(command, good=(0, 1)).splitlines()]
    said = {answer["url"]: answer for answer in answers}
    faults = [f"{url}: no answer" for url in urls if url not in said]
    for url, answer in said.items():
        if answer["accepted"] != urls[url]:
            faults.append(f"{url}: {'accepted' if answer['accepted'] else answer['reason']}")
        elif not answer["reason"]:
            faults.append(f"{url}: judged without a reason")
    return faults
