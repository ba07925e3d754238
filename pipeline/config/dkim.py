"""The block `smtp: {dkim: …}`: for which domain mails are signed, and which secret holds the key."""

from __future__ import annotations

import re

from pipeline.config.model import DkimSettings
from pipeline.config.reading import Item
from pipeline.config.values import LITERAL_SECRETS, env_name

DKIM_KEYS = ("domain", "selector", "key_env")
KEY_REMEDY = "Secrets stand in the environment: write key_env: DKIM_KEY, and set DKIM_KEY or DKIM_KEY_FILE"
FORBIDDEN = LITERAL_SECRETS | {"key": KEY_REMEDY, "private_key": KEY_REMEDY}
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})+")
_SELECTOR = re.compile(rf"(?=.{{1,190}}$){_LABEL}(?:\.{_LABEL})*")  # RFC 6376, 3.1


def dkim(item: Item | None) -> DkimSettings | None:
    """Return how mails are signed, None when the file does not ask for it."""
    table = item.table(DKIM_KEYS, forbidden=FORBIDDEN) if item else None
    if table is None:
        return None
    domain = table.need("domain", "Say for which domain mails are signed: domain: example.org")
    selector = table.need("selector", "Say under which name the public key is in DNS: selector: clausewire")
    key = table.need("key_env", "Name the variable that holds the private key: key_env: DKIM_KEY")
    return DkimSettings(
        domain=_matched(domain, _DOMAIN, "example.org; xn--… for other scripts"),
        selector=_matched(selector, _SELECTOR, "clausewire, for clausewire._domainkey.example.org"),
        key_env=env_name(key) if key else "",
    )


def _matched(item: Item | None, pattern: re.Pattern[str], example: str) -> str:
    written = item.text() if item else ""
    if item and written and not pattern.fullmatch(written):
        item.wrong(f"{item.shown} is no name that DNS can hold", f"Write it as in {example}")
        return ""
    return written.lower()
