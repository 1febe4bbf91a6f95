"""When a model wrote what: what each piece of a stream added to the answer."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette.dialects.dialect import provider_error
from aquila_cassette.dialects.framing import framing, read_event, split_frames
from aquila_cassette.dialects.message import MessageBuilder
from aquila_cassette.dialects.reading import read_into, recognise

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

__all__ = ["TextKind", "TimedText", "timeline_text"]

TextKind = Literal["words", "thought", "refusal", "call", "error"]


class TimedText(NamedTuple):
    """What one event of a stream added.

    Args:
        piece: Which piece brought the end of the event, from 0.
        part: Which part of the answer it belongs to, from 0: words, a thought, one tool call.
        kind: What that part is.
        name: The tool's name, of a call.
        text: The text added; empty where a call began with its name alone. A character that its
            provider cut into two surrogates is whole again once a part's texts are joined.
    """

    piece: int
    part: int
    kind: TextKind
    name: str
    text: str


def timeline_text(content_type: str | None, pieces: Sequence[bytes]) -> list[TimedText]:
    r"""Return what each piece of a body added to what the model wrote.

    Joined, it is what `read_message` returns of the whole body. Of an answer that is one JSON text,
    all comes with the last piece.

    Example:
        >>> hel = b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n'
        >>> lo = b'data: {"choices": [{"delta": {"content": "lo"}}]}\n\n'
        >>> for one in timeline_text("text/event-stream", [hel[:9], hel[9:], lo]):
        ...     print(one.piece, one.kind, one.text)
        1 words Hel
        2 words lo
    """
    body = b"".join(pieces)
    how = framing(content_type, body)
    builder = _TimelineBuilder()
    if how == "json":
        builder.piece = max(len(pieces) - 1, 0)
        read_into(content_type, body, builder)
        return builder.timeline()
    dialect = recognise(content_type, body)
    ends = list(accumulate(map(len, pieces)))
    end = 0
    for raw in split_frames(how, body):
        end += len(raw)
        if (event := read_event(how, raw)) is not None:
            builder.piece = bisect_left(ends, end)
            builder.set_error(provider_error(event) or "")
            if dialect is not None:
                dialect.read_event(event, builder)
    return builder.timeline()


class _Part:
    __slots__ = ("kind", "name", "place", "texts")

    def __init__(self, place: int, kind: TextKind) -> None:
        self.place = place
        self.kind: TextKind = kind
        self.name = ""
        self.texts: list[tuple[int, str]] = []


class _TimelineBuilder(MessageBuilder):
    """A builder that notes with which piece each text came, and to which part it belongs."""

    def __init__(self) -> None:
        super().__init__()
        self.piece = 0
        self._parts: list[_Part] = []
        self._part_of_call: dict[int, _Part] = {}

    def timeline(self) -> list[TimedText]:
        """Return all texts, piece by piece."""
        found = [
            TimedText(piece, part.place, part.kind, part.name, text)
            for part in self._parts
            for piece, text in part.texts
        ]
        return sorted(found, key=lambda one: one.piece)

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
        # One failure often comes twice: as an event, and in the answer's last state.
        if message and message != self._error:
            self._begin("error").texts.append((self.piece, message))
        super().set_error(message)

    def add_call(
        self, key: Hashable, *, id_: str = "", name: str = "", arguments: str = ""
    ) -> None:
        super().add_call(key, id_=id_, name=name, arguments=arguments)
        call = self._open[key]
        part = self._part_of_call.get(id(call))
        is_new = part is None
        if part is None:
            part = self._part_of_call[id(call)] = self._begin("call")
        if is_new or arguments:
            part.texts.append((self.piece, arguments))
        part.name = call.name

    def set_call(self, key: Hashable, *, id_: str = "", name: str, arguments: str) -> None:
        super().set_call(key, id_=id_, name=name, arguments=arguments)
        part = self._part_of_call[id(self._open[key])]
        before = "".join(text for _, text in part.texts)
        if arguments.startswith(before):
            if rest := arguments[len(before) :]:
                part.texts.append((self.piece, rest))
        elif arguments:  # what came before no longer counts
            part.texts = [(part.texts[0][0], ""), (self.piece, arguments)]

    def _begin(self, kind: TextKind) -> _Part:
        part = _Part(len(self._parts), kind)
        self._parts.append(part)
        return part

    def _add(self, kind: TextKind, chunk: str) -> None:
        if chunk:
            last = self._parts[-1] if self._parts else None
            part = last if last is not None and last.kind == kind else self._begin(kind)
            part.texts.append((self.piece, chunk))
