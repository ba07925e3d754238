"""The key `blobs:`: a bucket for the bodies of pages, as one address or as a table."""

from __future__ import annotations

import re

from pipeline.config.model import BucketSettings
from pipeline.config.reading import Item
from pipeline.config.values import address

KEYS = ("url", "endpoint", "region", "allow_http")
CREDENTIALS = "Credentials stand in the environment: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
FORBIDDEN = {
    key: CREDENTIALS
    for name in ("access_key", "access_key_id", "secret_key", "secret_access_key", "session_token", "token")
    for key in (name, f"aws_{name}")
}
SHOWN = "s3://bucket/prefix"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # S3: Bucket naming rules
_PREFIX = re.compile(r"[\w!.*'()-]+(/[\w!.*'()-]+)*", re.ASCII)  # S3: safe characters of object keys
_REGION = re.compile(r"[a-z0-9-]+")


def blobs(item: Item | None) -> BucketSettings | None:
    """Return the bucket that holds the bodies, None when the file names none: they lie under `data`."""
    if item is None:
        return None
    if item.kind == "text":
        bucket, prefix = _place(item)
        return BucketSettings(bucket=bucket, prefix=prefix)
    table = item.table(KEYS, forbidden=FORBIDDEN)
    if table is None:
        return None
    url = table.need("url", f"Say which bucket it is: url: {SHOWN}")
    bucket, prefix = _place(url) if url else ("", "")
    region, plain = table.get("region"), table.get("allow_http")
    allowed = plain.flag() if plain else False
    return BucketSettings(
        bucket=bucket,
        prefix=prefix,
        endpoint=_endpoint(table.get("endpoint"), allowed=allowed),
        region=_region(region) if region else "",
        allow_http=allowed,
    )


def _place(item: Item) -> tuple[str, str]:
    """Return bucket and prefix; a problem never repeats credentials that stand before an @."""
    written = item.text()
    if not written:
        return "", ""
    scheme, _, rest = written.partition("://")
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.rstrip("/")
    if "@" in rest:
        item.wrong("credentials do not belong in an address", CREDENTIALS)
    elif scheme != "s3" or not bucket:
        item.wrong(
            "this is not the address of a bucket", f"Write {SHOWN}, or leave it out: a folder of `data`"
        )
    elif not _BUCKET.fullmatch(bucket) or ".." in bucket:
        item.wrong(
            f'"{bucket[:70]}" cannot be the name of a bucket',
            "Use 3 to 63 small letters, digits, dots and hyphens",
        )
    elif prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        item.wrong(
            f'"{prefix[:70]}" cannot be a prefix', "Use letters, digits, hyphens and dots, with a / between"
        )
    return bucket, prefix


def _endpoint(item: Item | None, *, allowed: bool) -> str:
    url = address(item).rstrip("/") if item else ""
    if item and url.lower().startswith("http://") and not allowed:
        item.wrong(
            "the bodies would cross the network unencrypted", "Write https://, or add allow_http: true"
        )
    return url


def _region(item: Item) -> str:
    written = item.text()
    if written and not _REGION.fullmatch(written):
        item.wrong(f'"{written[:40]}" cannot be the name of a region', "Write one such as eu-central-1")
    return written
