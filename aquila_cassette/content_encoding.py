"""Decode compressed bodies (gzip, deflate, br, zstd) piece by piece, up to a limit."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Decode = Callable[[bytes, int], bytes]
"""Decodes bytes; what becomes more than so many may be cut, and is at least one more."""

_SLICE = 64  # bytes; each may become some 20 MB


class TooMuchError(ValueError):
    """Compressed data becomes more than `most_of` allows: it was made to fill memory."""


def most_of(size: int) -> int:
    """Return how many bytes `size` compressed ones may become: 50 times as many, or 16 MB."""
    return max(16 << 20, 50 * size)


def decode_pieces(encoding: str, pieces: Sequence[bytes]) -> list[bytes] | None:
    """Decode a body of content encoding `encoding`, ``gzip, br`` for example.

    Returns as many pieces as were given (some may be empty), or None where the encoding is unknown
    here or the bytes are not of it: then they can only be kept as they are. TooMuchError is raised
    for what was made to fill memory.
    """
    names = [part.strip().lower() for part in encoding.split(",")]
    decoded = list(pieces)
    size = sum(map(len, pieces))
    try:
        for name in reversed([name for name in names if name not in ("", "identity")]):
            decode = _DECODERS[name]()
            left = most_of(size)
            for place, piece in enumerate(decoded):
                decoded[place] = decode(piece, left)
                left -= len(decoded[place])
                if left < 0:
                    raise TooMuchError(f"{size} compressed bytes become more than {most_of(size)}")
    except TooMuchError:
        raise
    except Exception:  # of the libraries, which have their own
        return None
    return decoded


def decode_unless_huge(encoding: str, pieces: Sequence[bytes]) -> list[bytes] | None:
    """Decode a body; return None for what was made to fill memory, too: it stays as it is."""
    try:
        return decode_pieces(encoding, pieces)
    except TooMuchError:
        return None


def _gzip() -> Decode:
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    return lambda data, most: decoder.decompress(data, most + 1)


def _deflate() -> Decode:
    """Decode zlib-wrapped or raw deflate: servers send both under this name."""
    decoder: Any = None

    def decode(data: bytes, most: int) -> bytes:
        nonlocal decoder
        if decoder is not None:
            return bytes(decoder.decompress(data, most + 1))
        decoder = zlib.decompressobj()
        try:
            return bytes(decoder.decompress(data, most + 1))
        except zlib.error:
            decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            return bytes(decoder.decompress(data, most + 1))

    return decode


def _brotli() -> Decode:
    return _sliced(importlib.import_module("brotli").Decompressor().process)


def _zstd() -> Decode:
    decompressor = importlib.import_module("zstandard").ZstdDecompressor()
    return _sliced(decompressor.decompressobj().decompress)


def _sliced(decompress: Callable[[bytes], Any]) -> Decode:
    """Give a decoder that knows no limit little at a time."""

    def decode(data: bytes, most: int) -> bytes:
        decoded = bytearray()
        for start in range(0, len(data), _SLICE):
            decoded += decompress(data[start : start + _SLICE])
            if len(decoded) > most:
                break
        return bytes(decoded)

    return decode


_DECODERS = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}
