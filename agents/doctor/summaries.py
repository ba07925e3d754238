"""Whether the endpoint that rewords summaries answers."""

from __future__ import annotations

from agents.doctor import probes
from agents.doctor.finding import Finding, fail, ok, warn
from pipeline.config import Settings


async def rewriter(settings: Settings) -> list[Finding]:
    """Return whether the endpoint answers a chat of one word; nothing where none is named."""
    asked = settings.rewriter
    if asked is None:
        return []
    name = asked.api_key_env
    if name and name not in settings.secrets:
        return [fail(f"summaries are to be reworded, and {name} is not set", f"Set {name}")]
    key = settings.secrets[name] if name else ""
    trouble, remedy = await probes.chat(asked.url, asked.model, key)
    if trouble:  # no alert waits for it: summaries stay as they are written by rule
        return [warn(f"summaries are not reworded: {asked.url} {trouble}", remedy)]
    return [ok(f"summaries are reworded by {asked.model} at {asked.url}")]
