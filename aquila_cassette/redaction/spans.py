"""Spans of bytes that are to be replaced: merging them, replacing them, cutting pieces anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.model import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MARK", "Span", "effective", "recut", "replaced"]

MARK = b"[redacted]"
"""What stands in the place of a secret."""


class Span(NamedTuple):
    """Bytes from `start` up to `end`, a secret of the `kind` named; `text` replaces them."""

    start: int
    end: int
    kind: str
    text: bytes = MARK


def effective(data: bytes, spans: Iterable[Span]) -> list[Span]:
    """Give the spans that change `data`, in order, none overlapping another.

    A marker that is already there is never cut: a span that touches part of it takes it in whole.
    So replacing again and again comes to rest, each time with fewer bytes outside of markers.

    Args:
        data: The bytes.
        spans: Where secrets were found, in any order; they may overlap.
    """
    found = sorted(span for span in spans if span.start < span.end)
    if not found:
        return []
    if MARK in data:
        found = sorted([*found, *_marks(data)])
    merged = found[:1]
    for span in found[1:]:
        last = merged[-1]
        if span.start >= last.end:
            merged.append(span)
        else:
            merged[-1] = _union(last, span)
    return [span for span in merged if data[span.start : span.end] != span.text]


def _marks(data: bytes) -> Iterable[Span]:
    at = data.find(MARK)
    while at >= 0:
        yield Span(at, at + len(MARK), "")
        at = data.find(MARK, at + len(MARK))


def _union(one: Span, other: Span) -> Span:
    """Join two spans that overlap; `one` starts first."""
    if one[:2] == other[:2]:
        return max(one, other, key=lambda span: len(span.text))
    if other.end <= one.end:
        return one
    if other.start == one.start:
        return other
    return Span(one.start, other.end, one.kind or other.kind)


def replaced(data: bytes, spans: Sequence[Span]) -> bytes:
    """Give `data` with `spans` (ordered, apart from each other) replaced."""
    parts: list[bytes] = []
    done = 0
    for span in spans:
        parts += (data[done : span.start], span.text)
        done = span.end
    parts.append(data[done:])
    return b"".join(parts)


def recut(pieces: Sequence[Piece], spans: Sequence[Span], body: bytes) -> tuple[Piece, ...]:
    """Cut a body whose spans were replaced into pieces again, as close to the old cuts as can be.

    A cut inside a span moves to the end of its replacement; a piece that lost all its bytes goes.

    Args:
        pieces: The pieces as they were.
        spans: What was replaced in their joined bytes: ordered, apart from each other.
        body: The bytes after replacing.
    """
    kept: list[Piece] = []
    old_end = new_start = shift = at = 0
    for piece in pieces:
        old_end += len(piece.data)
        while at < len(spans) and spans[at].end <= old_end:
            shift += len(spans[at].text) - (spans[at].end - spans[at].start)
            at += 1
        if at < len(spans) and spans[at].start < old_end:
            new_end = spans[at].start + shift + len(spans[at].text)
        else:
            new_end = old_end + shift
        if new_start < new_end or not piece.data:
            kept.append(Piece(piece.at, body[new_start:new_end]))
        new_start = new_end
    return tuple(kept)
