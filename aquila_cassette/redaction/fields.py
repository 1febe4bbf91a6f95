"""Fields of JSON, found in bytes: in a body, in an event, in JSON inside a string of JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.redaction.name_suffixes import endings_of
from aquila_cassette.redaction.names import NAME_ENDINGS, looks_random
from aquila_cassette.redaction.spans import MARK, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila_cassette.redaction.names import Place, SecretNames

__all__ = ["field_pattern", "fields"]

_LONGEST_NAME = 100
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*")
_OPENING = re.compile(rb'(\\*)"')
_SPACE = re.compile(rb"[ \t\r\n]*")
_LIST = re.compile(rb"\[[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_QUOTE, _ESCAPE, _SPACES = ord('"'), ord("\\"), b" \t\r\n"


def field_pattern(more: Iterable[str]) -> re.Pattern[bytes]:
    """Build the pattern that finds the colons of fields that may hold secrets, in lower-case bytes.

    It begins with the colon and looks behind, since that is the rarest byte to search for.

    Args:
        more: The names that the user added, plain.
    """
    short, wide = endings_of(NAME_ENDINGS, more)
    return re.compile(
        rb':(?:(?<=(?:%s)":)(?<=(?:%s)":)' % (short, wide)
        + rb'|(?<=\\":)(?<=(?:%s|....\\)\\":)' % wide
        + rb"|(?<=[ \t\r\n]:))",
        re.DOTALL,
    )


def fields(
    data: bytes, low: bytes, pattern: re.Pattern[bytes], names: SecretNames, place: Place
) -> Iterator[Span]:
    """Find the values of the JSON fields in `data` whose names hold secrets: strings and numbers.

    Objects are looked into; a list is taken apart. Strings that are JSON themselves, at any depth,
    are read like the rest: their quotes are escaped, and those tell where a value ends.

    Args:
        data: The bytes.
        low: The same in lower case.
        pattern: What `field_pattern` gives.
        names: The names that hold secrets.
        place: ``sent`` or ``received``.
    """
    for match in pattern.finditer(low):
        name = _name_before(data, match.start())
        if name is None:
            continue
        sensitivity = names.sensitivity(name, place)
        if sensitivity == "never":
            continue
        for start, end, is_text in _values(data, match.end()):
            if sensitivity == "always" or (is_text and looks_random(data[start:end])):
                quote = b"" if is_text else _quote_of(data, match.start())
                yield Span(start, end, f"the field {name!r}", quote + MARK + quote)


def _name_before(data: bytes, colon: int) -> str | None:
    """Read the name of the field whose colon is at `colon`; None if it is no such colon."""
    quote = colon - 1
    while quote > 0 and data[quote] in _SPACES:
        quote -= 1
    if quote < 0 or data[quote] != _QUOTE:
        return None
    end = quote - _escapes_before(data, quote)
    start = data.rfind(b'"', max(0, end - _LONGEST_NAME), end)
    return data[start + 1 : end].decode("utf-8", "replace") if start >= 0 else None


def _quote_of(data: bytes, colon: int) -> bytes:
    """Give the quote that stands before the colon, with its escapes."""
    quote = data.rindex(b'"', 0, colon)
    return b"\\" * _escapes_before(data, quote) + b'"'


def _escapes_before(data: bytes, quote: int, limit: int = 0) -> int:
    """Count the backslashes before `quote`, none of them before `limit`."""
    start = quote
    while start > limit and data[start - 1] == _ESCAPE:
        start -= 1
    return quote - start


def _values(data: bytes, colon_end: int) -> Iterator[tuple[int, int, bool]]:
    """Find the strings (without quotes) and numbers that are the value, or stand in it, a list."""
    at = _SPACE.match(data, colon_end).end()  # type: ignore[union-attr]  # it matches anywhere
    listed = _LIST.match(data, at)
    if listed:
        at = listed.end()
    while True:
        opening = _OPENING.match(data, at)
        if opening:
            start = opening.end()
            end = _end_of_text(data, start, len(opening[1]))
            yield start, end, True
            at = end + len(opening[0])
        elif number := _NUMBER.match(data, at):
            yield *number.span(), False
            at = number.end()
        else:
            return
        comma = _COMMA.match(data, at)
        if not listed or not comma:
            return
        at = comma.end()


def _end_of_text(data: bytes, start: int, escapes: int) -> int:
    """Find the end of a string whose opening quote has `escapes` backslashes before it.

    One level down in escaped JSON doubles the backslashes: a quote with 2^n - 1 of them opens a
    string of level n, and in it each backslash of its own comes as 2^(n+1). So the quote that ends
    it is the one with `escapes` left over, or one of a level further out where the text is broken.
    """
    own = 2 * (escapes + 1)
    quote = data.find(b'"', start)
    while quote >= 0:
        count = _escapes_before(data, quote, start)
        if count % own == escapes or count < escapes:
            return _one_line(data, start, quote - min(count, escapes))
        quote = data.find(b'"', quote + 1)
    return _one_line(data, start, len(data))


def _one_line(data: bytes, start: int, end: int) -> int:
    """Cut at a line's end: no string of JSON goes on after it, so this one was broken off."""
    newline = data.find(b"\n", start, end)
    return end if newline < 0 else newline
