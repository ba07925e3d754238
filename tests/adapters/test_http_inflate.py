"""Content codings undone in pieces: what was coded comes back, and no input does harm."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.inflate import PIECE, decoder_for
from pipeline.errors import FetchError


def decoded(coding: str, data: bytes, step: int) -> bytes:
    decoder = decoder_for(coding)
    pieces = [
        piece for start in range(0, len(data), step) for piece in decoder.feed(data[start : start + step])
    ]
    decoder.finish()
    return b"".join(pieces)


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_round_trip(body: bytes, step: int) -> None:
    """However a body is cut on its way, it comes back whole."""
    raw = zlib.compressobj(wbits=-15)
    assert decoded("gzip", gzip.compress(body), step) == body
    assert decoded("deflate", zlib.compress(body), step) == body
    assert decoded("deflate", raw.compress(body) + raw.flush(), step) == body
    assert decoded("identity", body, step) == body


@given(st.sampled_from(["gzip", "deflate"]), st.binary(max_size=300))
def test_any_bytes(coding: str, data: bytes) -> None:
    """Bytes that are no coding give a FetchError, or whatever they happen to mean; nothing else."""
    try:
        decoded(coding, data, 64)
    except FetchError as error:
        assert error.kind == "encoding"  # noqa: PT017


@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 258])
@pytest.mark.parametrize("step", [7, 100_000])
def test_ends_at_a_piece(size: int, step: int) -> None:
    """A body that ends where a piece does comes back whole, in each coding."""
    raw = zlib.compressobj(wbits=-15)
    for coding, coded in (
        ("gzip", gzip.compress(bytes(size))),
        ("deflate", zlib.compress(bytes(size))),
        ("deflate", raw.compress(bytes(size)) + raw.flush()),
    ):
        assert decoded(coding, coded, step) == bytes(size)


def test_pieces_are_bounded() -> None:
    """A bomb comes out a piece at a time."""
    bomb = gzip.compress(bytes(20 * PIECE))
    assert max(len(piece) for piece in decoder_for("gzip").feed(bomb)) <= PIECE


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", "gzip, br"])
def test_unasked_coding(coding: str) -> None:
    """A coding that we did not ask for is refused by name."""
    with pytest.raises(FetchError, match=coding):
        decoder_for(coding)
