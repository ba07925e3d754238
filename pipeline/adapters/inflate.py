"""Content codings, undone in bounded pieces: no input, however hostile, makes more than a piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from pipeline.errors import FetchError

PIECE = 256 * 1024
ACCEPTED = "gzip, deflate"


class Decoder(Protocol):
    """Turns coded bytes into plain ones, a piece at a time; `finish` refuses a body that ended early."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the bytes decode to, in pieces of at most PIECE."""
        ...

    def finish(self) -> None:
        """Raise FetchError(kind="encoding") unless the body was whole."""
        ...


class Plain:
    """No coding at all."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        return


class Inflate:
    """gzip and deflate, of one member or several; `wbits` as zlib's."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._member = zlib.decompressobj(wbits)
        self._head = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        is_full = False  # a full piece may have more behind it, with no input left
        while data or is_full:
            if self._member.eof:
                if self._wbits < 16 or not data.startswith(b"\x1f\x8b"):
                    return  # padding after the last member
                self._member = zlib.decompressobj(self._wbits)
            piece = self._inflate(data)
            data = self._member.unconsumed_tail or self._member.unused_data
            is_full = len(piece) == PIECE
            yield piece

    def _inflate(self, data: bytes) -> bytes:
        try:
            piece = self._member.decompress(data, PIECE)
        except zlib.error as error:
            if len(self._head) == 2 or self._wbits != zlib.MAX_WBITS:
                raise _undecodable(str(error)) from error
            # some send "deflate" without its zlib wrapping, whose two bytes are then missing
            data, self._head = self._head + data, b"--"
            self._member = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inflate(data)
        self._head = (self._head + data[:2])[:2]
        return piece

    def finish(self) -> None:
        if not self._head:
            return  # an empty body is empty in every coding
        if not self._member.eof:
            raise _undecodable("the compressed body ends early")


def decoder_for(coding: str) -> Decoder:
    """Return what undoes a Content-Encoding; FetchError(kind="encoding") for one we did not ask for."""
    names = [name for part in coding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not names:
        return Plain()
    if names in (["gzip"], ["x-gzip"]):
        return Inflate(16 + zlib.MAX_WBITS)
    if names == ["deflate"]:
        return Inflate(zlib.MAX_WBITS)
    raise _undecodable(f"the server sent the coding {coding!r}, and we asked for {ACCEPTED}")


def _undecodable(what: str) -> FetchError:
    return FetchError(
        f"the body cannot be decoded: {what}",
        kind="encoding",
        remedy="Tell the site; the read is tried again by itself",
    )
