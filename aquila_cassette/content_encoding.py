"""Decode compressed bodies (gzip, deflate, br, zstd) piece by piece."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Sequence

Decode = Callable[[bytes], bytes]


def decode_pieces(encoding: str, pieces: Sequence[bytes]) -> list[bytes] | None:
    """Decode a body of content encoding `encoding`, ``gzip, br`` for example.

    Returns as many pieces as were given (some may be empty), or None where the encoding is unknown
    here or the bytes are not of it: then they can only be kept as they are.
    """
    names = [part.strip().lower() for part in encoding.split(",")]
    decoded = list(pieces)
    try:
        for name in reversed([name for name in names if name not in ("", "identity")]):
            decode = _DECODERS[name]()
            decoded = [decode(piece) for piece in decoded]
    except Exception:  # of the libraries, which have their own
        return None
    return decoded


def _deflate() -> Decode:
    """Decode zlib-wrapped or raw deflate: servers send both under this name."""
    decoder = zlib.decompressobj()
    is_sure = False

    def decode(data: bytes) -> bytes:
        nonlocal decoder, is_sure
        try:
            return decoder.decompress(data)
        except zlib.error:
            if is_sure:
                raise
            decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            return decoder.decompress(data)
        finally:
            is_sure = True

    return decode


def _brotli() -> Decode:
    try:
        module = importlib.import_module("brotli")
    except ImportError:
        module = importlib.import_module("brotlicffi")
    decompressor = module.Decompressor()
    decode: Decode = getattr(decompressor, "process", None) or decompressor.decompress
    return lambda data: decode(data) if data else b""


def _zstd() -> Decode:
    decompressor = importlib.import_module("zstandard").ZstdDecompressor()
    decode: Decode = decompressor.decompressobj().decompress
    return decode


_DECODERS: dict[str, Callable[[], Decode]] = {
    **dict.fromkeys(("gzip", "x-gzip"), lambda: zlib.decompressobj(zlib.MAX_WBITS | 16).decompress),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
