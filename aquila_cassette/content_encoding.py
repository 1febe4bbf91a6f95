"""Content encodings: what a compressed body decodes to, piece by piece."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Decode = Callable[[bytes], bytes]


def decode_pieces(encoding: str, pieces: Sequence[bytes]) -> list[bytes] | None:
    """Decode a body of content encoding `encoding`, ``gzip, br`` for example.

    Returns as many pieces as were given (some may be empty), or None where the encoding is unknown
    here or the bytes are not of it: then they can only be kept as they are.

    Example:
        >>> body = zlib.compress(b"Hello")
        >>> decode_pieces("deflate", [body[:3], body[3:]])
        [b'', b'Hello']
    """
    decoders: list[Decode] = []
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        decoder = _DECODERS[name]() if name in _DECODERS else None
        if decoder is None:
            return None
        decoders.append(decoder)
    decoded = []
    for piece in pieces:
        try:
            for decoder in decoders:
                piece = decoder(piece)
        except Exception:
            return None
        decoded.append(piece)
    return decoded


def _gzip() -> Decode:
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress


def _deflate() -> Decode:
    """Decode zlib-wrapped or raw deflate: servers send both under this name."""
    decode: list[Decode] = []

    def decode_first(data: bytes) -> bytes:
        if not decode:
            wrapped = zlib.decompressobj()
            try:
                first = wrapped.decompress(data)
            except zlib.error:
                decode.append(zlib.decompressobj(-zlib.MAX_WBITS).decompress)
            else:
                decode.append(wrapped.decompress)
                return first
        return decode[0](data)

    return decode_first


def _brotli() -> Decode | None:
    module = _first_module("brotli", "brotlicffi")
    if module is None:
        return None
    decompressor = module.Decompressor()
    decode: Decode = getattr(decompressor, "process", None) or decompressor.decompress
    return lambda data: decode(data) if data else b""


def _zstd() -> Decode | None:
    module = _first_module("zstandard")
    decode: Decode | None = module and module.ZstdDecompressor().decompressobj().decompress
    return decode


def _first_module(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


_DECODERS: dict[str, Callable[[], Decode | None]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
