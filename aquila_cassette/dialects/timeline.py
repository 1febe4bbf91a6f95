"""How an answer unfolded: what each piece of a stream added to what the model said."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette import dialects
from aquila_cassette.dialects.dialect import provider_error
from aquila_cassette.dialects.framing import framing, read_event, split_frames
from aquila_cassette.dialects.message import MessageBuilder

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from aquila_cassette.dialects.framing import Framing, ProviderEvent

__all__ = ["Kind", "TimedText", "timeline_text"]

Kind = Literal["words", "thought", "refusal", "call", "error"]


class TimedText(NamedTuple):
    """What one message of a stream added.

    Args:
        piece: Which piece brought the end of the message, from 0.
        part: Which part of the answer it belongs to, from 0: words, a thought, one tool call.
        kind: What that part is.
        name: The tool's name, of a call.
        text: The text added; empty where a call began with its name alone. A character that its
            provider cut into two surrogates is whole again once a part's chunks are joined.
    """

    piece: int
    part: int
    kind: Kind
    name: str
    text: str


def timeline_text(content_type: str | None, pieces: Sequence[bytes]) -> list[TimedText]:
    r"""Tell what each piece of a body added to what the model said.

    Of an answer that is one JSON text, all comes with the last piece. What `said` gives of the
    whole body is what these chunks come to.

    Args:
        content_type: The response's content type; None if there was none.
        pieces: The body as it was read.

    Example:
        >>> hel = b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n'
        >>> lo = b'data: {"choices": [{"delta": {"content": "lo"}}]}\n\n'
        >>> for chunk in timeline_text("text/event-stream", [hel[:9], hel[9:], lo]):
        ...     print(chunk.piece, chunk.kind, chunk.text)
        1 words Hel
        2 words lo
    """
    body = b"".join(pieces)
    how = framing(content_type, body)
    timeline = _TimelineBuilder()
    if how == "json":
        timeline.piece = max(len(pieces) - 1, 0)
        _say_at_once(dialects.read_message(content_type, body), timeline)
        return timeline.chunks()
    dialect = dialects.recognise(content_type, body)
    ends = list(accumulate(map(len, pieces)))
    for end, message in _messages(how, body):
        timeline.piece = bisect_left(ends, end)
        timeline.set_error(provider_error(message) or "")
        if dialect is not None:
            dialect.read_event(message, timeline)
    return timeline.chunks()


def _messages(how: Framing, body: bytes) -> Iterator[tuple[int, ProviderEvent]]:
    """Give each message, and where in the body it ends."""
    end = 0
    for raw in split_frames(how, body):
        end += len(raw)
        if (message := read_event(how, raw)) is not None:
            yield end, message


def _say_at_once(said: dialects.ModelMessage, timeline: _TimelineBuilder) -> None:
    timeline.add_reasoning(said.reasoning)
    timeline.add_text(said.text)
    timeline.add_refusal(said.refusal)
    for call in said.tool_calls:
        timeline.add_call(object(), name=call.name, arguments=call.arguments)
    timeline.set_error(said.error or "")


class _Part:
    __slots__ = ("chunks", "kind", "name", "place")

    def __init__(self, place: int, kind: Kind) -> None:
        self.place = place
        self.kind: Kind = kind
        self.name = ""
        self.chunks: list[tuple[int, str]] = []

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.chunks)


class _TimelineBuilder(MessageBuilder):
    """Hears what `MessageBuilder` does, and keeps when it was heard and after what."""

    def __init__(self) -> None:
        super().__init__()
        self.piece = 0
        self._parts: list[_Part] = []
        self._part_of_call: dict[int, _Part] = {}

    def chunks(self) -> list[TimedText]:
        """Give all that was heard, piece by piece."""
        found = [
            TimedText(piece, part.place, part.kind, part.name, text)
            for part in self._parts
            for piece, text in part.chunks
        ]
        return sorted(found, key=lambda chunk: chunk.piece)

    def add_text(self, chunk: str) -> None:
        super().add_text(chunk)
        self._add("words", chunk)

    def add_reasoning(self, chunk: str) -> None:
        super().add_reasoning(chunk)
        self._add("thought", chunk)

    def add_refusal(self, chunk: str) -> None:
        super().add_refusal(chunk)
        self._add("refusal", chunk)

    def set_error(self, message: str) -> None:
        # One failure is often told twice: as an event, and in the answer's last state.
        if message and message != self._error:
            self._begin("error").chunks.append((self.piece, message))
        super().set_error(message)

    def add_call(
        self, key: Hashable, *, id_: str = "", name: str = "", arguments: str = ""
    ) -> None:
        super().add_call(key, id_=id_, name=name, arguments=arguments)
        call = self._open[key]
        part = self._part_of_call.get(id(call))
        if part is None:
            part = self._part_of_call[id(call)] = self._begin("call")
            part.chunks.append((self.piece, arguments))
        elif arguments:
            part.chunks.append((self.piece, arguments))
        part.name = call.name

    def set_call(self, key: Hashable, *, id_: str = "", name: str, arguments: str) -> None:
        super().set_call(key, id_=id_, name=name, arguments=arguments)
        part = self._part_of_call[id(self._open[key])]
        heard = part.text
        if arguments.startswith(heard):
            rest = arguments[len(heard) :]
            if rest:
                part.chunks.append((self.piece, rest))
        elif arguments:  # what was heard before no longer counts
            part.chunks = [(part.chunks[0][0], ""), (self.piece, arguments)]

    def _begin(self, kind: Kind) -> _Part:
        part = _Part(len(self._parts), kind)
        self._parts.append(part)
        return part

    def _add(self, kind: Kind, chunk: str) -> None:
        if chunk:
            last = self._parts[-1] if self._parts else None
            part = last if last is not None and last.kind == kind else self._begin(kind)
            part.chunks.append((self.piece, chunk))
