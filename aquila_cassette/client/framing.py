"""Cuts the pieces of a response into the messages of its dialect, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette import sse
from aquila_cassette.dialects.framing import ProviderEvent, framing, read_events
from aquila_cassette.dialects.lenient import load_json

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Cutter"]

_BOM = b"\xef\xbb\xbf"


class Cutter:
    r"""Takes the pieces of one body and gives its messages.

    A body that begins as JSON does is kept until its end: servers answer so to a request for a
    stream, some with an error and some with the whole answer.

    Args:
        content_type: The response's content type; None if there was none.

    Example:
        >>> cutter = Cutter("text/event-stream")
        >>> [message.data for message in cutter.feed(b"data: [DONE]\n\n")]
        ['[DONE]']
    """

    def __init__(self, content_type: str | None) -> None:
        self._content_type = content_type
        self._decoder: sse.Decoder | None = None
        self._kept: list[bytes] = []
        self._json = False

    def feed(self, piece: bytes) -> Iterator[ProviderEvent]:
        """Take a piece and give the messages that it finishes.

        Raises:
            FrameTooLargeError: An event passed the size limit.
        """
        if self._decoder is None:
            self._kept.append(piece)
            if self._json:
                return
            head = b"".join(self._kept).removeprefix(_BOM).lstrip()
            if not head or _BOM.startswith(head):
                return
            if head.startswith((b"{", b"[")):
                self._json = True
                return
            self._decoder = sse.Decoder()
            piece = b"".join(self._kept)
            self._kept.clear()
        for frame in self._decoder.decode(piece):
            if frame.event is not None:
                yield ProviderEvent(frame.event.type, frame.event.data, load_json(frame.event.data))
            elif (stray := _stray(frame.raw)) is not None:
                yield stray

    def end(self) -> tuple[list[ProviderEvent], list[Any]]:
        """Give what is left at the end: messages, and JSON answers that are no stream.

        Raises:
            FrameTooLargeError: The rest passed the size limit.
        """
        if self._decoder is not None:
            rest = self._decoder.flush()
            last = rest and _unfinished(rest.raw)
            return [last] if last else [], []
        body = b"".join(self._kept)
        how = framing(self._content_type, body)
        if how != "json":
            return list(read_events(how, body)), []
        answer = load_json(body)
        if answer is None:
            return [], [body.decode("utf-8", "replace")] if body.strip() else []
        # Gemini streams a list of answers where server-sent events are not asked for.
        return [], answer if isinstance(answer, list) else [answer]


def _stray(raw: bytes) -> ProviderEvent | None:
    """Read bare JSON between frames: Gemini breaks its streams off with such an error."""
    text = raw.strip()
    value = load_json(text) if text.startswith((b"{", b"[")) else None
    return (
        None if value is None else ProviderEvent("message", text.decode("utf-8", "replace"), value)
    )


def _unfinished(raw: bytes) -> ProviderEvent | None:
    """Read a last frame whose blank line is missing, if its data is whole."""
    event = sse.meaning(raw)
    if event is None:
        return _stray(raw)
    value = load_json(event.data)
    if value is None and not event.data.startswith("[DONE]"):
        return None
    return ProviderEvent(event.type, event.data, value)
