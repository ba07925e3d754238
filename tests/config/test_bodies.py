"""The key `blobs:`: what it comes to, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import BucketSettings, ConfigErrors, parse

FILE = Path("/etc/clausewire/clausewire.yaml")


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("s3://bodies", BucketSettings(bucket="bodies")),
        ("s3://my.bodies-1/legal/watch/", BucketSettings(bucket="my.bodies-1", prefix="legal/watch")),
        (
            '{url: s3://bodies/x, endpoint: "http://127.0.0.1:9000/", region: eu-central-1, allow_http: true}',
            BucketSettings(
                bucket="bodies",
                prefix="x",
                endpoint="http://127.0.0.1:9000",
                region="eu-central-1",
                allow_http=True,
            ),
        ),
    ],
)
def test_words_become_a_bucket(words: str, settings: BucketSettings) -> None:
    """One address, or a table for stores other than Amazon's."""
    assert parse(f"blobs: {words}\n".encode(), FILE, {}).blobs == settings


@pytest.mark.parametrize("text", [b"data: /srv\n", b"data: /srv\nblobs:\n"])
def test_no_bucket_unless_named(text: bytes) -> None:
    """Without the key, or with nothing in it, there is no bucket."""
    assert parse(text, FILE, {}).blobs is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("folder/of/bodies", "not the address of a bucket"),
        ("gs://bodies", "Write s3://bucket/prefix"),
        ("s3://", "not the address of a bucket"),
        ("s3:///prefix", "not the address of a bucket"),
        ("s3://Bodies", "name of a bucket"),
        ("s3://a..b", "name of a bucket"),
        ("s3://bodies/a/../b", "cannot be a prefix"),
        ("s3://bodies/a//b", "cannot be a prefix"),
        ("s3://bodies/a?b", "cannot be a prefix"),
        ("[s3://bodies]", "table of keys"),
        ("{region: eu-central-1}", r"\(blobs\).*missing"),
        ("{url: s3://bodies, region: Frankfurt am Main}", r"\(blobs.region\)"),
        ('{url: s3://bodies, endpoint: "minio:9000"}', r"\(blobs.endpoint\).*not an http"),
        ('{url: s3://bodies, endpoint: "http://minio:9000"}', "allow_http: true"),
        ("{url: s3://bodies, allow_http: perhaps}", "true or false"),
        ("{url: s3://bodies, secret_access_key: x}", "set AWS_ACCESS_KEY_ID"),
        ("{url: s3://bodies, endpont: x}", "Did you mean"),
    ],
)
def test_mistake_is_told(words: str, told: str) -> None:
    """A mistake is told with its file, its line and what to write."""
    with pytest.raises(ConfigErrors, match=told) as errors:
        parse(f"data: /srv\nblobs: {words}\n".encode(), FILE, {})
    assert f"{FILE}:2 (blobs" in str(errors.value)


def test_credentials_are_not_repeated() -> None:
    """What stands before an @ may be a secret: it is refused and not shown."""
    with pytest.raises(ConfigErrors, match="AWS_SECRET_ACCESS_KEY") as errors:
        parse(b"blobs: s3://id:not-to-be-shown@bodies/x\n", FILE, {})
    assert "not-to-be-shown" not in str(errors.value)
