"""Whether the bucket for the bodies of pages takes, gives and lets go of an object."""

from __future__ import annotations

from agents.doctor.finding import Finding, failed, ok
from pipeline.adapters.s3blobs import AWAY, S3Blobs
from pipeline.config import Settings
from pipeline.errors import PipelineError


async def bucket(settings: Settings) -> list[Finding]:
    """Return how the bucket takes a probe, which is deleted again; nothing where bodies lie in a folder."""
    if settings.blobs is None:
        return []
    try:
        store = S3Blobs(settings.blobs)
        left = await store.probe()
    except PipelineError as error:
        return [failed(error, AWAY)]
    if left:
        return [
            ok(
                f"{store.place}: takes and gives",
                f"It does not delete: {left} stays there, and may be removed",
            )
        ]
    return [ok(f"{store.place}: takes, gives and deletes")]
