"""What keeps a log from growing for ever: retention by time and compaction by key, as Kafka does them.

The last record of a partition is always kept, as Kafka keeps its active segment: a reader that waits for the record
before the high-water mark would else wait for ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pipeline.adapters.embedded.store import BITS, LAST, Part

DAY_MS = 86_400_000
BATCH = 500
MIN_DIRTY = 1_000


def stale(db: sqlite3.Connection, part: Part, horizon: int) -> list[int]:
    """Row ids of records that a newer one of the same key supersedes, and of tombstones older than `horizon` ms."""
    newest: dict[bytes, int] = {}
    gone: list[int] = []
    rows = db.execute(
        "SELECT id, key, ts, value IS NULL FROM record WHERE id BETWEEN ? AND ? ORDER BY id", _span(part)
    )
    tombstones: list[tuple[bytes, int]] = []
    for id, key, timestamp, is_tombstone in rows:
        if key is None:
            continue
        if key in newest:
            gone.append(newest[key])
        newest[key] = id
        if is_tombstone and timestamp < horizon:
            tombstones.append((key, id))
    last = (part.id << BITS) + part.next - 1
    return sorted(gone + [id for key, id in tombstones if newest[key] == id and id != last])


def expired(db: sqlite3.Connection, part: Part, before: int) -> list[int]:
    """Row ids from the front of a partition up to the first record that is as young as `before` ms, never the last."""
    low = part.id << BITS
    kept = db.execute(
        "SELECT min(id) FROM record WHERE id BETWEEN ? AND ? AND ts >= ?", (*_span(part), before)
    ).fetchone()[0]
    end = min(low + part.next - 1, low + LAST if kept is None else kept)
    rows = db.execute("SELECT id FROM record WHERE id >= ? AND id < ? ORDER BY id", (low, end))
    return [row[0] for row in rows]


def drop(db: sqlite3.Connection, part: Part, ids: Sequence[int], *, front: bool) -> None:
    """Delete records inside a transaction; from the `front`, the partition then begins after them."""
    db.execute(f"DELETE FROM record WHERE id IN ({','.join('?' * len(ids))})", list(ids))  # noqa: S608 only marks
    if front:
        db.execute("UPDATE part SET first = ? WHERE id = ?", (ids[-1] - (part.id << BITS) + 1, part.id))


def is_dirty(db: sqlite3.Connection, part: Part) -> bool:
    """Whether enough came since the last compaction to make another worth it."""
    cleaned = db.execute("SELECT cleaned FROM part WHERE id = ?", (part.id,)).fetchone()[0]
    return part.next - int(cleaned) > MIN_DIRTY


def mark_clean(db: sqlite3.Connection, part: Part) -> None:
    """Remember inside a transaction up to where a partition was compacted."""
    db.execute("UPDATE part SET cleaned = ? WHERE id = ?", (part.next, part.id))


def _span(part: Part) -> tuple[int, int]:
    return part.id << BITS, (part.id << BITS) + LAST
