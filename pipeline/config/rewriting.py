"""Who may reword summaries: off unless the file says so."""

from __future__ import annotations

from pipeline.config.model import RewriterSettings
from pipeline.config.reading import Item
from pipeline.config.values import address, duration, env_name

KEYS = ("rewriter_url", "model", "api_key_env", "timeout")
FORBIDDEN = {
    "api_key": "Secrets stand in the environment: write api_key_env: and the NAME of a variable that holds it"
}


def rewriter(item: Item | None) -> RewriterSettings | None:
    """Return the endpoint that may reword summaries, None when the file names none."""
    table = item.table(KEYS, forbidden=FORBIDDEN) if item else None
    if table is None:
        return None
    url = table.need("rewriter_url", "Say where it answers: rewriter_url: http://127.0.0.1:8080/v1")
    model = table.need("model", "Say which model is to answer: model: name")
    key, timeout = table.get("api_key_env"), table.get("timeout")
    return RewriterSettings(
        url=address(url).rstrip("/") if url else "",
        model=model.text() if model else "",
        api_key_env=env_name(key) if key else "",
        timeout_s=duration(timeout) if timeout else 20.0,
    )
