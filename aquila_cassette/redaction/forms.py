"""SecretNames and values outside of JSON: forms, multipart forms, query strings, links in a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aquila_cassette.redaction.name_suffixes import endings_of
from aquila_cassette.redaction.names import NAME_ENDINGS, looks_random
from aquila_cassette.redaction.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila_cassette.redaction.names import Place, SecretNames

__all__ = ["link_pattern", "links", "pairs", "parts"]

_HEAD = re.compile(
    rb'form-data;[^\r\n]*?(?<![a-z])name="?([^"\r\n;]*)[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n',
    re.IGNORECASE,
)
_LONGEST_HEAD = 2000
_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)', re.IGNORECASE)
_PARAMETER = re.compile(rb"(?:[?&]|&amp;|\\u0026)([A-Za-z0-9_.%-]+)\Z")
_ENDINGS = (*NAME_ENDINGS, "sig", "signature", "auth", "jwt")
_LONGEST_NAME = 100


def pairs(data: bytes, names: SecretNames, place: Place, start: int = 0) -> Iterator[Span]:
    """Find the secret values in ``name=value&name=value``: a form, or a query.

    Args:
        data: The bytes.
        names: The names that hold secrets.
        place: ``form`` or ``query``.
        start: Where in `data` the pairs begin.
    """
    for pair in data[start:].split(b"&"):
        name, _, value = pair.partition(b"=")
        end = start + len(pair)
        if value and _is_secret(name, value, names, place):
            yield Span(end - len(value), end, f"{place} field {_shown(name)!r}")
        start = end + 1


def link_pattern(more: Iterable[str]) -> re.Pattern[bytes]:
    """Build the pattern that finds values of parameters that may be secret, in lower-case bytes.

    Args:
        more: The names that the user added, plain.
    """
    _, wide = endings_of(_ENDINGS, more)
    return re.compile(rb"=(?<=(?:%s)=)([^&\s\"'<>\\#)\]]+)" % wide, re.DOTALL)


def links(
    data: bytes, low: bytes, pattern: re.Pattern[bytes], names: SecretNames
) -> Iterator[Span]:
    """Find the secret query parameters of the links in a text.

    Args:
        data: The bytes.
        low: The same in lower case.
        pattern: What `link_pattern` gives.
        names: The names that hold secrets.
    """
    for match in pattern.finditer(low):
        name = _PARAMETER.search(data, max(0, match.start() - _LONGEST_NAME), match.start())
        start, end = match.span(1)
        if name and _is_secret(name[1], data[start:end], names, "link"):
            yield Span(start, end, f"parameter {_shown(name[1])!r} of a link")


def parts(data: bytes, content_type: str, names: SecretNames) -> Iterator[Span]:
    """Find the parts of a multipart form whose names hold secrets.

    Args:
        data: The body.
        content_type: Its content type, which names the boundary.
        names: The names that hold secrets.
    """
    named = _BOUNDARY.search(content_type)
    fence = b"\n--" + (named[1].encode("utf-8", "surrogateescape") if named else b"")
    at = 0
    for part in data.split(fence):
        head = _HEAD.search(part, 0, _LONGEST_HEAD)
        if head:
            value = part[head.end() :].removesuffix(b"\r")
            start = at + head.end()
            if value and _is_secret(head[1], value, names, "form"):
                yield Span(start, start + len(value), f"form field {_shown(head[1])!r}")
        at += len(part) + len(fence)


def _shown(name: bytes) -> str:
    return unquote(name.decode("utf-8", "replace"))


def _is_secret(name: bytes, value: bytes, names: SecretNames, place: Place) -> bool:
    sensitivity = names.sensitivity(_shown(name), place)
    return sensitivity == "always" or (sensitivity == "if_random" and looks_random(value))
