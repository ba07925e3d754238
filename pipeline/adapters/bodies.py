"""Where the bodies of a deployment lie: the bucket that its settings name, or a folder of its data."""

from __future__ import annotations

from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.s3blobs import S3Blobs
from pipeline.config import Settings
from pipeline.ports import Blobs


def blobs_of(settings: Settings) -> Blobs:
    """Return the store of bodies of a deployment; ConfigError when the extra `s3` is asked for and not installed."""
    if settings.blobs is None:
        return FolderBlobs(settings.data / "blobs")
    return S3Blobs(settings.blobs)
