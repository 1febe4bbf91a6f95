"""When an answer came, and in how many events and pieces; and when a difference in that counts.

No two recordings arrive alike. A time counts as changed when one is more than twice the other and
they are half a second apart; a number, when one is more than twice the other and they are ten
apart. Pieces count only of a stream that took half a second: a faster one is cut by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.storage.pieces import timeline
from aquila_cassette.transcript.comparison.result import Value, Words
from aquila_cassette.transcript.comparison.words import compare_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.model import Response
    from aquila_cassette.transcript.comparison.answer import Answer

__all__ = ["arrival"]

_TIMES = 2
_MS_APART = 500
_APART = 10


class _Row(NamedTuple):
    name: str
    old: int | None
    new: int | None
    apart: int
    unit: str = ""


def arrival(old: Answer, new: Answer, *, everything: bool) -> Iterator[Value | Words]:
    """Compare when two answers came, and in how many events and pieces.

    Args:
        old: The older answer.
        new: The newer one.
        everything: Whether each ms, each byte and each cut counts.
    """
    found = False
    for row in _rows(old, new, everything=everything):
        if row.old != row.new and (everything or _is_far(row)):
            found = True
            yield Value(row.name, _shown(row.old, row.unit), _shown(row.new, row.unit))
    cuts = timeline(old.response.pieces), timeline(new.response.pieces)
    if everything and not found and cuts[0] != cuts[1]:
        yield compare_words(*cuts)


def _rows(old: Answer, new: Answer, *, everything: bool) -> Iterator[_Row]:
    was, now = old.response, new.response
    if old.is_stream and new.is_stream and was.body != now.body:
        yield _Row("events", len(old.messages), len(new.messages), _APART)
    if everything or max(_took(was), _took(now)) >= _MS_APART:
        yield _Row("pieces", len(was.pieces), len(now.pieces), _APART)
    if everything:
        yield _Row("bytes", len(was.body), len(now.body), 1)
        yield _Row("headers", was.headers_after, now.headers_after, _MS_APART, " ms")
    yield _Row("first", _first(was), _first(now), _MS_APART, " ms")
    yield _Row("last", _last(was), _last(now), _MS_APART, " ms")


def _is_far(row: _Row) -> bool:
    if row.old is None or row.new is None:
        return False  # nothing came, which is told elsewhere
    low, high = sorted((row.old, row.new))
    return high > _TIMES * low and high - low >= row.apart


def _first(response: Response) -> int | None:
    return min((piece.at for piece in response.pieces), default=None)


def _last(response: Response) -> int | None:
    return max((piece.at for piece in response.pieces), default=None)


def _took(response: Response) -> int:
    return (_last(response) or 0) - (_first(response) or 0)


def _shown(number: int | None, unit: str) -> str | None:
    return None if number is None else f"{number}{unit}"
