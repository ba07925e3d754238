"""Who may do what: keys to the API, 256 random bits each, kept as their SHA-256 and shown once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from aiohttp import web

from agents.api.problems import ProblemError
from pipeline.errors import ConfigError
from pipeline.events import ApiKeyDeclared, derived_id

SCOPES: Mapping[str, str] = {
    "subscriptions:read": "see subscriptions",
    "subscriptions:write": "make, change, pause, test, rotate and remove subscriptions",
    "deliveries:read": "see what became of deliveries",
    "alerts:read": "see alerts",
    "silences:read": "see silences",
    "silences:write": "declare and end silences",
}
PREFIX = "cwk_"
SHOWN = web.RequestKey("shown", ApiKeyDeclared)  # the key that a request shows, once it was let in


def new_key(name: str, scopes: Iterable[str], *, at: datetime) -> tuple[ApiKeyDeclared, str]:
    """Return a key to be declared, and the key itself, which is nowhere else; ConfigError for an unknown scope."""
    wanted = tuple(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise ConfigError(
            f"there is no scope {unknown[0]!r}" if unknown else "a key without a scope opens nothing",
            remedy=f"The scopes are {', '.join(SCOPES)}",
        )
    key = PREFIX + secrets.token_urlsafe(32)
    digest = hashed(key)
    declared = ApiKeyDeclared(
        key_id=derived_id("key", digest)[:16], name=name, sha256=digest, scopes=wanted, declared_at=at
    )
    return declared, key


def hashed(key: str) -> str:
    """Return what is kept of a key. It is random, so that no salt and no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def allowed(authorization: str, scope: str, keys: Iterable[ApiKeyDeclared]) -> ApiKeyDeclared:
    """Return the key that an Authorization header shows; ProblemError 401 or 403 where it opens not this."""
    word, _, shown = authorization.partition(" ")
    digest = hashed(shown.strip())
    known = [key for key in keys if hmac.compare_digest(key.sha256, digest)]
    if word.lower() != "bearer" or not known:
        raise ProblemError(
            401,
            "a key to the API is needed",
            remedy="Send Authorization: Bearer and a key of `clausewire api-keys create`",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if scope not in known[0].scopes:
        raise ProblemError(403, f"this key does not hold the scope {scope}")
    return known[0]
