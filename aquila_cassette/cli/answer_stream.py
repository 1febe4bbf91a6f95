"""Read an answer piece by piece and return the text that each piece adds (for `play` and `record --direct`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette import sse
from aquila_cassette.dialects import DIALECTS, timeline_text
from aquila_cassette.dialects.dialect import provider_error
from aquila_cassette.dialects.framing import framing, is_complete_frame, read_event, split_frames
from aquila_cassette.dialects.message import MessageBuilder
from aquila_cassette.transcript.comparison import is_keep_alive
from aquila_cassette.transcript.humanize import body_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.dialects import Dialect
    from aquila_cassette.dialects.framing import Framing
    from aquila_cassette.dialects.message import TextKind, TimedText

Kind = Literal["thought", "said", "refused", "called", "error", "event", "body"]
_KINDS: dict[TextKind, Kind] = {
    "words": "said",
    "thought": "thought",
    "refusal": "refused",
    "call": "called",
    "error": "error",
}


class AddedText(NamedTuple):
    """Text that an answer adds; `begins` is True where it begins another part, event or line.

    ``event`` is the data of one that no dialect knows, ``body`` a line of an answer that is no
    model's.
    """

    kind: Kind
    text: str
    begins: bool = False


class AnswerReader:
    """Reads an answer a piece at a time."""

    def __init__(self, content_type: str | None) -> None:
        self._type = content_type
        self._how: Framing = "json"  # until a piece shows otherwise
        self._waiting = b""
        self._decoder = sse.Decoder()
        self._dialect: Dialect | None = None
        self._builder = MessageBuilder()
        self._part = -1
        self._half: dict[int, str] = {}

    def push(self, piece: bytes) -> list[AddedText]:
        """Return what the bytes of one read off the wire add."""
        if self._how == "json":
            piece, self._waiting = self._waiting + piece, b""
            if piece.strip():
                self._how = framing(self._type, piece)
        return [added for raw in self._complete_frames(piece) for added in self._read(raw)]

    def finish(self) -> list[AddedText]:
        """Return what is left when nothing follows."""
        if self._how == "json":
            return list(self._read_json())
        rest = self._waiting
        if self._how == "sse" and (frame := self._decoder.flush()):
            rest = frame.raw
        added = list(self._read(rest)) if rest else []
        if self._half:
            added.append(AddedText("said", "\N{REPLACEMENT CHARACTER}"))
        return added

    def _complete_frames(self, piece: bytes) -> Iterator[bytes]:
        if self._how == "sse":
            yield from (frame.raw for frame in self._decoder.decode(piece))
            return
        self._waiting += piece
        if self._how == "ndjson":
            *lines, self._waiting = self._waiting.split(b"\n")
            yield from lines
        if self._how == "eventstream":
            found = split_frames(self._how, self._waiting)
            complete = [raw for raw in found if is_complete_frame(self._how, raw)]
            self._waiting = b"".join(found[len(complete) :])
            yield from complete

    def _read(self, raw: bytes) -> Iterator[AddedText]:
        event = read_event(self._how, raw)
        if event is None:
            return
        if self._dialect is None:
            found = (dialect for dialect in DIALECTS if dialect.recognises(event))
            self._dialect = next(found, None)
        error = provider_error(event)
        self._builder.piece += 1
        self._builder.set_error(error or "")
        if self._dialect is not None:
            self._dialect.read_event(event, self._builder)
        elif error is None and not event.data.startswith("[DONE]") and not is_keep_alive(event):
            yield AddedText("event", event.data, begins=True)
        yield from filter(None, map(self._added, self._builder.newest()))

    def _read_json(self) -> Iterator[AddedText]:
        """Yield an answer that was no stream."""
        texts = timeline_text(self._type, [self._waiting])
        yield from filter(None, map(self._added, texts))
        if self._waiting and not texts:
            for line in body_lines(self._waiting, self._type):
                yield AddedText("body", line, begins=True)

    def _added(self, one: TimedText) -> AddedText | None:
        # Some providers cut a character into two surrogates, and send them in two chunks.
        text = self._half.pop(one.part, "") + one.text
        if "\ud800" <= text[-1:] <= "\udbff":
            self._half[one.part] = text[-1]
            text = text[:-1]
        begins = one.part != self._part
        if one.kind == "call" and begins:  # the chunks of parallel calls come in turns
            text = f"{one.name} {text}"
        if not text:
            return None
        self._part = one.part
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return AddedText(_KINDS[one.kind], whole, begins)
