"""A page that holds nothing until its script has run."""

from __future__ import annotations

from tests.adapters.rawsite import page

FILLED = "You keep the ownership of your content and grant us a licence to host it."
_FILL = (
    "const fill = () => { const root = document.getElementById('root');"
    " for (let i = 1; i <= 12; i++) root.innerHTML +="
    f" '<h2>Section ' + i + '</h2><p>{FILLED} This is paragraph ' + i + ' of these terms.</p>'; }};"
)
_PADDING = "const padding = '" + "x" * 2000 + "';"


def markup(script: str = "setTimeout(fill, 50)") -> bytes:
    """Return the markup of a shell whose script does as it says; `fill()` puts the terms on the page."""
    return (
        "<!doctype html><html lang='en'><head><title>Terms of Service</title></head><body><div id='root'></div>"
        f"<script>{_PADDING}{_FILL}{script}</script></body></html>"
    ).encode()


def shell(script: str = "setTimeout(fill, 50)") -> bytes:
    """Return the answer of a server that serves a shell."""
    return page(markup(script))
