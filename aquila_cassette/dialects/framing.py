"""Split a body into events: SSE, NDJSON or Amazon's binary streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from aquila_cassette import sse
from aquila_cassette.dialects import aws_eventstream as eventstream
from aquila_cassette.dialects.json_access import Table, as_dict, load_json

Framing = Literal["sse", "ndjson", "eventstream", "json"]
"""How a body is framed. ``json`` is one JSON text, not a stream (or nothing known at all)."""

_NDJSON_TYPES = ("ndjson", "jsonl", "json-lines", "json-seq", "stream+json")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_SSE_FIELD = re.compile(rb"(?:data|event|id|retry)?:")


class ProviderEvent(NamedTuple):
    """One event of a stream, in any framing."""

    type: str  # the SSE event type; `message` for a line of NDJSON
    data: str  # its data, verbatim
    json: Any  # that data parsed; None where it is no JSON

    @property
    def fields(self) -> Table:
        """The JSON if it is an object, else an empty one."""
        return as_dict(self.json)


def framing(content_type: str | None, body: bytes) -> Framing:
    """Return how `body` is framed, from what it is: content types are often wrong."""
    kind = (content_type or "").lower()
    if kind.startswith(eventstream.CONTENT_TYPE):
        return "eventstream"
    head = body[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith((b"{", b"[")):
        if "event-stream" in kind or _SSE_FIELD.match(head):
            return "sse"
        return "ndjson" if any(name in kind for name in _NDJSON_TYPES) else "json"
    if any(name in kind for name in _NDJSON_TYPES):
        return "ndjson"
    end = body.find(b"\n")
    has_more = end >= 0 and body[end : end + len(head)].lstrip()[:1] == b"{"
    return "ndjson" if has_more and isinstance(load_json(body[:end]), dict) else "json"


def split_frames(how: Framing, body: bytes) -> Iterable[bytes]:
    """Cut a stream into its frames or lines, an unfinished one last; joined, they are the body."""
    if how == "sse":
        return sse.split(body)
    if how == "eventstream":
        return eventstream.split(body)
    return (line[0] for line in _LINE.finditer(body))


def is_complete_frame(how: Framing, raw: bytes) -> bool:
    """Return True if a line or a binary frame is finished, and not blank; SSE has its decoder."""
    if how == "eventstream":
        return eventstream.is_whole(raw)
    return raw.endswith(b"\n") and bool(raw.strip())


def split_events(content_type: str | None, body: bytes, *, rest_apart: bool = False) -> list[bytes]:
    """Cut a stream into its events; joined, they are the body. A body that is no stream has none.

    What is no event by itself (a comment, a blank line) goes with the event after it, and what
    follows the last one with that; with `rest_apart` it is one more, be it empty.
    """
    how = framing(content_type, body)
    if how == "json":
        return []
    if how == "sse":
        parts = [(frame.raw, frame.event is not None) for frame in sse.frames(body)]
    else:
        parts = [(raw, is_complete_frame(how, raw)) for raw in split_frames(how, body)]
    found: list[bytes] = []
    rest = b""
    for raw, is_event in parts:
        rest += raw
        if is_event:
            found.append(rest)
            rest = b""
    # Some streams lack the last blank line, and readers take such a rest for an event.
    if rest_apart or (rest and (not found or read_event(how, rest) is not None)):
        found.append(rest)
    elif rest:
        found[-1] += rest
    return found


def read_event(how: Framing, raw: bytes) -> ProviderEvent | None:
    """Read one frame or line; None where it holds no event."""
    if how == "sse":
        return event_of_frame(raw, sse.meaning(raw))
    if how == "eventstream":
        binary = eventstream.meaning(raw)
        return binary and ProviderEvent(*binary)
    text = raw.decode("utf-8", "replace").strip()
    return ProviderEvent("message", text, load_json(text)) if text else None


def event_of_frame(raw: bytes, event: sse.Event | None) -> ProviderEvent | None:
    """Return what a frame holds: its event, or a line ``error: ...``, as llama.cpp writes it."""
    if event is None and raw.lstrip().startswith(b"error:"):
        event = sse.Event("error", raw.partition(b":")[2].strip().decode("utf-8", "replace"))
    return event and ProviderEvent(event.type, event.data, load_json(event.data))


def read_events(how: Framing, body: bytes) -> Iterator[ProviderEvent]:
    """Yield the events of `body` from the first to the last, an unfinished one included."""
    for raw in split_frames(how, body):
        if (event := read_event(how, raw)) is not None:
            yield event
