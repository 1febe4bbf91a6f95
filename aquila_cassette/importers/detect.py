"""Whose format a file looks like, told from a glance at its bytes."""

from __future__ import annotations

import re
import zlib
from typing import Literal, TypeAlias

__all__ = ["GZIP", "NAMES", "OURS", "Kind", "sniff"]

Kind: TypeAlias = Literal["vcrpy", "cassetter", "betamax", "HAR"]
"""Whose format a file has that is not ours."""

NAMES: dict[str, str] = {
    "vcrpy": "vcrpy's format",
    "cassetter": "cassetter's format",
    "betamax": "betamax's format",
    "HAR": "the HAR format",
}
"""The formats as messages name them."""

GZIP = b"\x1f\x8b"
"""How a compressed file begins."""

OURS = b"version: 1\nrecorded_with:"
"""How a file that we wrote begins: it is told at once, for every load asks."""

_GLANCE = 4 << 20  # bytes of a compressed file
_BLANK = b"\xef\xbb\xbf \t\r\n"
_HAR = re.compile(rb'\{\s*"log"\s*:')
# Deeper than that, it may stand in a body.
_URI = re.compile(rb"^ {0,4}(?:- )?uri:", re.MULTILINE)
_TOP = re.compile(rb"^(?:---[ \t]*\r?\n)?(?:interactions|requests|responses):", re.MULTILINE)
_BETAMAX = re.compile(rb"^http_interactions:", re.MULTILINE)
_LIST = re.compile(rb"(?:---[ \t]*\r?\n)?- request:")
_HOST = re.compile(rb"^ {2,4}host:", re.MULTILINE)
_ENDED = re.compile(rb"^ {2,4}ended: (?:complete|closed|failed)\r?$", re.MULTILINE)
# vcrpy has a string there, or a mapping with 'string' in it.
_TYPED = re.compile(rb"^ {4}body:\r?\n {6}type: (?:json|text|binary|none)\r?$", re.MULTILINE)


def sniff(data: bytes) -> Kind | None:
    r"""Guess whose format the bytes of a file have; None where it looks like ours, or like none.

    Args:
        data: The whole file.

    Example:
        >>> sniff(b"interactions:\n- request:\n    body: null\n    uri: https://a.example/\n")
        'vcrpy'
    """
    if data.startswith(OURS):
        return None
    if data.startswith(GZIP):
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, _GLANCE)
        except zlib.error:
            return None
    data = data.lstrip(_BLANK)
    if data[:1] in (b"{", b"["):
        return _of_json(data)
    if _ENDED.search(data):  # of ours, then, though somebody wrote uri for url
        return None
    if _BETAMAX.search(data):
        return "betamax"
    if _TOP.search(data) and _URI.search(data):
        return "cassetter" if _TYPED.search(data) else "vcrpy"
    return "vcrpy" if _LIST.match(data) and _HOST.search(data) else None


def _of_json(data: bytes) -> Kind | None:
    if _HAR.match(data):
        return "HAR"
    if b'"http_interactions"' in data:
        return "betamax"
    return "vcrpy" if b'"uri"' in data or data[:1] == b"[" else None
