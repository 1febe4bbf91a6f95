r"""Parse Server-Sent Events: bytes in any slices to frames and events.

A *frame* is the bytes of one event with the blank line that ends it; an *event* is what a frame
means. The frames of a stream, joined, are the stream; how it was sliced never changes its events.
Nothing here does input or output or knows HTTP: bytes are pushed in, frames come back.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

Example:
    >>> from aquila_cassette.sse import Decoder
    >>> decoder = Decoder()
    >>> decoder.decode(b"event: token\ndata: Hel")
    []
    >>> [frame.event.data for frame in decoder.decode(b"lo\n\nda")]
    ['Hello']
    >>> decoder.flush()
    Frame(raw=b'da', event=None)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
_BLANK_LINES = frozenset((b"\n", b"\r\n", b"\r"))
_CR, _LF = 0x0D, 0x0A
_STRETCH = 1 << 16  # bytes; the lines of all there are would take a multiple of its memory
# A longer run of digits is no time anyone waits, and int() refuses 4300 of them.
_MAX_RETRY_DIGITS = 18


class Event(NamedTuple):
    r"""What one frame means: its data lines are joined by ``\n``.

    The `id` is the last one that the stream has given so far; `retry` is in ms.
    """

    type: str
    data: str
    id: str = ""
    retry: int | None = None


class Frame(NamedTuple):
    """The verbatim bytes of one frame, its blank line included, and what they mean.

    There is no event where nothing is dispatched: comments, an empty frame, the unfinished rest.
    """

    raw: bytes
    event: Event | None


class Decoder:
    """Decodes one stream, piece by piece; its work is linear in the bytes pushed in.

    An event is dispatched as soon as the CR of its blank line is there, for a live stream must
    not wait to see whether an LF follows; an LF that does follow, in the next piece, then is the
    first byte of the next frame.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # the unfinished frame, as it came: joined once, at its end
        self._is_first = True  # no frame was read yet: a byte order mark may lead
        self._fresh = True  # the next byte is the first of a line
        self._after_cr = False
        self._last_id = ""

    def decode(self, piece: bytes) -> list[Frame]:
        """Take the next piece and return the frames that it finishes."""
        if not piece:
            return []
        start = 1 if self._after_cr and piece.startswith(b"\n") else 0
        done: list[Frame] = []
        begin = 0
        for end in _ends(piece, start, fresh=self._fresh):
            raw = b"".join([*self._rest, piece[begin:end]])
            self._rest.clear()
            self._last_id, event = _interpret(raw, self._last_id, at_start=self._is_first)
            self._is_first = False
            done.append(Frame(raw, event))
            begin = end
        if begin < len(piece):
            self._rest.append(piece[begin:])
        self._after_cr = piece[-1] == _CR
        self._fresh = self._after_cr or piece[-1] == _LF
        return done

    def flush(self) -> Frame | None:
        """Return what is left when the stream ends, or None; it is never an event."""
        raw = b"".join(self._rest)
        self._rest.clear()
        return Frame(raw, None) if raw else None


def frames(body: bytes) -> list[Frame]:
    """Return all frames of a whole body; an unfinished rest is the last, without an event."""
    decoder = Decoder()
    found = decoder.decode(body)
    rest = decoder.flush()
    return found if rest is None else [*found, rest]


def events(body: bytes) -> list[Event]:
    """Return all events of a whole body."""
    return [frame.event for frame in frames(body) if frame.event is not None]


def split(body: bytes) -> Iterator[bytes]:
    """Yield the frames of a whole body without reading them; joined, they are the body."""
    begin = 0
    for end in _ends(body, 0, fresh=True):
        yield body[begin:end]
        begin = end
    if begin < len(body):
        yield body[begin:]


def meaning(raw: bytes) -> Event | None:
    """Read one frame by itself, with or without its blank line; an unfinished one as if it ended."""
    return _interpret(raw, "", at_start=True)[1]


def _ends(piece: bytes, start: int, *, fresh: bool) -> Iterator[int]:
    """Yield the offset past each blank line from `start` on; `fresh`: a line starts there."""
    at = start
    while at < len(piece):
        end = piece.find(b"\n", at + _STRETCH) + 1 or len(piece)
        # Of bytes, splitlines() takes CR, LF and CRLF only, and it is faster than any regex.
        for line in piece[at:end].splitlines(keepends=True):
            at += len(line)
            if fresh and len(line) <= 2 and line in _BLANK_LINES:
                yield at
            fresh = True


def _interpret(raw: bytes, last_id: str, *, at_start: bool) -> tuple[str, Event | None]:
    """Read one frame; return the last event id after it and the event, if any."""
    type_ = ""
    data: list[bytes] = []
    retry: int | None = None
    for line in (raw.removeprefix(_BOM) if at_start else raw).splitlines():
        if line.startswith(b"data: "):  # nearly every line there is
            data.append(line[6:])
            continue
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            data.append(value)
        elif name == b"event":
            type_ = value.decode("utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                last_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
            retry = int(value)
    if not data:
        return last_id, None
    text = (data[0] if len(data) == 1 else b"\n".join(data)).decode("utf-8", "replace")
    return last_id, Event(type_ or "message", text, last_id, retry)
