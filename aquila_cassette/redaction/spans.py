"""Replace spans of bytes without breaking JSON, events or pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aquila_cassette.dialects import aws_eventstream as eventstream
from aquila_cassette.dialects.json_access import load_json
from aquila_cassette.model import Piece

MARK = b"[redacted]"
_QUOTED_MARK = '"[redacted]"'
_PLAIN = re.compile(rb'[^"\\{}\[\],:\s]*')
_SCALAR = re.compile(rb"[-+.0-9eEtrufalsn]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][-+.0-9eE]*|true|false|null', re.DOTALL)
_UNIT = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_SSE_FIELD = re.compile(rb"(?:(?:data|event|id|retry)?:|(?:data|event|id|retry)(?=[\r\n]|\Z)) ?")


class Span(NamedTuple):
    """Bytes from `start` up to `end`, a secret of the `kind` named; `text` replaces them."""

    start: int
    end: int
    kind: str
    text: bytes = MARK


def merge(data: bytes, spans: Iterable[Span]) -> list[Span]:
    """Return the spans that change `data`, in order, none overlapping another.

    A marker that is already there is never cut: a span that touches part of it takes it in whole.
    So replacing again and again comes to rest.
    """
    found = sorted(span for span in spans if span.start < span.end)
    if found and MARK in data:
        marks = re.finditer(re.escape(MARK), data)
        found = sorted([*found, *(Span(*mark.span(), "") for mark in marks)])
    merged = found[:1]
    for span in found[1:]:
        last = merged[-1]
        if span.start >= last.end:
            merged.append(span)
        else:
            merged[-1] = _union(last, span)
    return [span for span in merged if data[span.start : span.end] != span.text]


def _union(one: Span, other: Span) -> Span:
    """Join two spans that overlap; `one` starts first."""
    if one[:2] == other[:2]:
        return max(one, other, key=lambda span: len(span.text))
    if other.end <= one.end:
        return one
    if other.start == one.start:
        return other
    return Span(one.start, other.end, one.kind or other.kind)


def fit(data: bytes, spans: Sequence[Span], content_type: str) -> list[Span]:
    """Return `spans` within the strings of JSON and the fields of a stream, so that both stay.

    A number is replaced as a whole, by a string; no escape is cut in two; what crosses tokens is
    redacted within them; likewise in JSON inside strings of JSON.
    """
    found = [span for span in spans if _is_in_a_string(data, span)]
    if len(found) == len(spans):
        return found
    is_stream = content_type.startswith("text/event-stream")
    is_json = not is_stream and _is_json(data, any_value="json" in content_type)
    for span in (span for span in spans if span not in found):
        parts = [(0, len(data))] if is_json else _lines(data, span, content_type)
        fitted = [_fit_line(data, span, *part, is_stream=is_stream) for part in parts]
        if all(one is None for one in fitted):
            found.append(span)
        else:
            found += (one for some in fitted for one in some or ())
    return merge(data, found)


def _is_in_a_string(data: bytes, span: Span) -> bool:
    """Return True for what can only be inside one string, if the data is JSON."""
    start, end, _, text = span
    return text != MARK or bool(
        data.find(b"\\", start - 6 if start > 6 else 0, start) < 0
        and _PLAIN.fullmatch(data, start, end)
        and not _SCALAR.fullmatch(data, start, end)
    )


def _lines(data: bytes, span: Span, content_type: str) -> Iterator[tuple[int, int]]:
    """Yield where the lines of the span are; of a binary stream, where the payloads are."""
    if content_type.startswith(eventstream.CONTENT_TYPE):
        start = 0
        for message in eventstream.split(data):
            if start <= span.start < start + len(message):
                yield start + eventstream.payload_at(message), start + len(message) - 4
            start += len(message)
        return
    start = max(data.rfind(b"\n", 0, span.start), data.rfind(b"\r", 0, span.start)) + 1
    for line in re.compile(rb"[^\r\n]+").finditer(data, start):
        if line.start() >= span.end:
            return
        yield line.span()


def _fit_line(
    data: bytes, span: Span, start: int, end: int, *, is_stream: bool
) -> list[Span] | None:
    """Fit a span into one line, or all of a JSON body; None where there is nothing to keep."""
    field = _SSE_FIELD.match(data, start, end) if is_stream else None
    if field:
        start = field.end()
    text = data[start:end].decode("latin-1")
    if _is_json(text, any_value=start == 0 and end == len(data)):
        return [
            Span(start + at, start + to, span.kind, new.encode())
            for at, to, new in _edits(text, span.start - start, span.end - start)
        ]
    if is_stream:
        return [Span(max(start, span.start), min(end, span.end), span.kind)]
    return None


def _is_json(text: str | bytes, *, any_value: bool = False) -> bool:
    """Return True for JSON; a mere number is only taken for it where `any_value` says so."""
    first = text.lstrip()[:1]
    return (any_value or first in ("{", "[", '"', b"{", b"[", b'"')) and load_json(text) is not None


def _edits(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield what to replace in a JSON text, and by what, to redact it from `start` to `end`."""
    for token in _TOKEN.finditer(text):
        at, to = token.span()
        if to <= start or end <= at:
            continue
        if text[at] != '"':
            yield at, to, _QUOTED_MARK
            continue
        units = [*_UNIT.finditer(text, at + 1, to - 1)]
        touched = [n for n, unit in enumerate(units) if unit.start() < end and start < unit.end()]
        if not touched:
            continue
        inner = "".join(
            unit[0] if len(unit[0]) == 1 else json.loads(f'"{unit[0]}"') for unit in units
        )
        if _is_json(inner):
            for first, last, new in _edits(inner, touched[0], touched[-1] + 1):
                escaped = json.dumps(new)[1:-1]
                yield units[first].start(), units[last - 1].end(), escaped
        else:
            yield units[touched[0]].start(), units[touched[-1]].end(), MARK.decode()


def replaced(data: bytes, spans: Sequence[Span]) -> bytes:
    """Return `data` with `spans` (ordered, apart from each other) replaced."""
    parts: list[bytes] = []
    done = 0
    for span in spans:
        parts += (data[done : span.start], span.text)
        done = span.end
    parts.append(data[done:])
    return b"".join(parts)


def with_framing(body: bytes, spans: Sequence[Span]) -> list[Span]:
    """Return `spans` with those added that give a binary stream its new lengths and checksums."""
    framed = list(spans)
    start = 0
    for message in eventstream.split(body):
        end = start + len(message)
        payload = start + eventstream.payload_at(message)
        inside = [span for span in spans if start <= span.start and span.end <= end]
        if inside and all(payload <= one.start and one.end <= end - 4 for one in inside):
            moved = [Span(a - start, b - start, kind, text) for a, b, kind, text in inside]
            whole = eventstream.reframed(replaced(message, moved))
            framed.append(Span(start, start + 12, "", whole[:12]))
            framed.append(Span(end - 4, end, "", whole[-4:]))
        start = end
    return sorted(framed)


def recut(pieces: Sequence[Piece], spans: Sequence[Span], body: bytes) -> tuple[Piece, ...]:
    """Cut a body whose spans were replaced into pieces again, as close to the old cuts as can be.

    A cut inside a span moves to the end of its replacement; a piece that lost all its bytes goes.
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
