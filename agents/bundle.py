"""An alert's evidence as files to hand on: both pages to read, the bytes and texts behind them, and a manifest.

The manifest names every file with its SHA-256 and size; SHA256SUMS says the same for `sha256sum --check`.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from agents.api import pages_html
from agents.api.pages_html import Doors
from agents.api.pages_proof import file_name
from agents.dossier import Dossier, Exhibit
from pipeline.events import Event, Version

REDLINE, EVIDENCE, RECORDS = "redline.html", "evidence.html", "records.json"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a zip file


def files(found: Dossier, shown: Sequence[Exhibit], now: datetime) -> dict[str, bytes]:
    """Return the files of a bundle by name, the manifest last; `now` is when the exhibits were looked at."""
    made = dict(_kept(found, shown))
    pages = {
        exhibit.side.name: {
            kind: name for kind in ("page", "text") if (name := file_name(found, exhibit.side, kind)) in made
        }
        for exhibit in shown
    }
    there = Doors(
        redline=REDLINE,
        evidence=EVIDENCE,
        pages={side: {"page": "", "text": "", **held} for side, held in pages.items()},
    )
    made[REDLINE] = pages_html.redline(found, doors=there, alone=True).encode("utf-8", "replace")
    made[EVIDENCE] = pages_html.evidence(found, shown, now, doors=there, alone=True).encode(
        "utf-8", "replace"
    )
    made[RECORDS] = _json([msgspec.to_builtins(event) for event in _records(found)])
    sums = {name: hashlib.sha256(body).hexdigest() for name, body in sorted(made.items())}
    made[MANIFEST] = _json(_manifest(found, shown, now, made, sums))
    made[SUMS] = "".join(f"{sums[name]}  {name}\n" for name in sums).encode()
    return made


def zipped(made: Mapping[str, bytes], folder: str, at: datetime) -> bytes:
    """Return files as a zip of one folder, the same bytes for the same files and time."""
    out = io.BytesIO()
    moment = max(at.astimezone(UTC).timetuple()[:6], EARLIEST)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in made.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", moment)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, body)
    return out.getvalue()


def _kept(found: Dossier, shown: Sequence[Exhibit]) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes and the text of each page, as far as they are in the store."""
    for exhibit in shown:
        if exhibit.body is not None:
            yield file_name(found, exhibit.side, "page"), exhibit.body
        if exhibit.side.version is not None:
            yield file_name(found, exhibit.side, "text"), text_of(exhibit.side.version)


def text_of(version: Version) -> bytes:
    """Return the text that offsets count in, as a file of UTF-8."""
    return version.text.encode("utf-8", "replace")


def _records(found: Dossier) -> Iterator[Event]:
    """Yield the events behind an alert, as they lie in the log."""
    yield found.alert
    if found.change_set:
        yield found.change_set
    yield from (*found.updates, *((found.withdrawal,) if found.withdrawal else ()), *found.acknowledgements)


def _manifest(
    found: Dossier,
    shown: Sequence[Exhibit],
    now: datetime,
    made: Mapping[str, bytes],
    sums: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "alert": found.alert.alert_id,
        "made_at": now,
        "files": [{"name": name, "sha256": digest, "size": len(made[name])} for name, digest in sums.items()],
        "pages": [_page(found, exhibit, made) for exhibit in shown],
    }


def _page(found: Dossier, exhibit: Exhibit, made: Mapping[str, bytes]) -> dict[str, Any]:
    page = exhibit.side.page
    name = file_name(found, exhibit.side, "page")
    return {
        "side": exhibit.side.name,
        "url": page.url,
        "final_url": page.final_url,
        "fetched_at": page.fetched_at,
        "status": page.status,
        "headers": page.headers,
        "sha256": page.body.sha256,
        "size": page.body.size,
        "media_type": page.body.media_type,
        "file": name if name in made else None,
        "intact": exhibit.body is not None,
        "quotes": len(exhibit.quoted),
        "quotes_at_their_offsets": exhibit.stand,
        "quotes_in_the_bytes": exhibit.served,
    }


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
