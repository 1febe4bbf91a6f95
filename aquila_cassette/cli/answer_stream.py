"""What an answer says as it comes: the text that each piece of bytes adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette import sse
from aquila_cassette.dialects import DIALECTS, read_message
from aquila_cassette.dialects.dialect import provider_error
from aquila_cassette.dialects.framing import framing, is_complete_frame, read_event, split_frames
from aquila_cassette.dialects.message import MessageBuilder
from aquila_cassette.transcript.comparison import is_keep_alive
from aquila_cassette.transcript.humanize import body_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.dialects import Dialect
    from aquila_cassette.dialects.framing import Framing

__all__ = ["AddedText", "AnswerReader"]

Kind = Literal["thought", "said", "refused", "called", "error", "event", "body"]


class AddedText(NamedTuple):
    """Text that an answer adds; `begins` is True where it begins another call, event or line.

    ``event`` is the data of one that no dialect knows, ``body`` a line of an answer that is no
    model's.
    """

    kind: Kind
    text: str
    begins: bool = False


class AnswerReader:
    r"""Reads an answer a piece at a time.

    Example:
        >>> reader = AnswerReader("text/event-stream")
        >>> reader.push(b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n')
        []
        >>> reader.push(b'\n')
        [AddedText(kind='said', text='Hel', begins=False)]
    """

    def __init__(self, content_type: str | None) -> None:
        self._type = content_type
        self._how: Framing = "json"  # until a piece shows otherwise
        self._waiting = b""
        self._decoder = sse.Decoder()
        self._dialect: Dialect | None = None
        self._builder = _AddedTextBuilder()

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
        return [*(self._read(rest) if rest else ()), *self._builder.take(last=True)]

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
        self._builder.set_error(error or "")
        if self._dialect is not None:
            self._dialect.read_event(event, self._builder)
        elif error is None and not event.data.startswith("[DONE]") and not is_keep_alive(event):
            yield AddedText("event", event.data, begins=True)
        yield from self._builder.take()

    def _read_json(self) -> Iterator[AddedText]:
        """Yield an answer that was no stream."""
        said = read_message(self._type, self._waiting)
        texts: tuple[tuple[Kind, str], ...] = (
            ("thought", said.reasoning),
            ("said", said.text),
            ("refused", said.refusal),
            *(("called", f"{call.name} {call.arguments}") for call in said.tool_calls),
            ("error", said.error or ""),
        )
        added = [AddedText(kind, text, begins=True) for kind, text in texts if text]
        if self._waiting and not added:
            lines = body_lines(self._waiting, self._type)
            added = [AddedText("body", line, begins=True) for line in lines]
        yield from added


class _AddedTextBuilder(MessageBuilder):
    """Notes what a dialect adds to the message."""

    def __init__(self) -> None:
        super().__init__()
        self._added: list[AddedText] = []
        self._half: dict[Kind, str] = {}
        self._given: list[str] = []  # the arguments of each call that were given already
        self._current_call = -1
        self._last_error = ""

    def add_text(self, chunk: str) -> None:
        super().add_text(chunk)
        self._add("said", chunk)

    def add_reasoning(self, chunk: str) -> None:
        super().add_reasoning(chunk)
        self._add("thought", chunk)

    def add_refusal(self, chunk: str) -> None:
        super().add_refusal(chunk)
        self._add("refused", chunk)

    def set_error(self, message: str) -> None:
        super().set_error(message)
        if message and message != self._last_error:
            self._last_error = message
            self._added.append(AddedText("error", message, begins=True))

    def take(self, *, last: bool = False) -> list[AddedText]:
        """Return what was added since the last call; half a character only where it is the `last`."""
        self._add_calls()
        if last:
            replacement = "\N{REPLACEMENT CHARACTER}"
            self._added += [
                AddedText(kind, replacement) for kind, half in self._half.items() if half
            ]
        added, self._added = self._added, []
        return added

    def _add(self, kind: Kind, chunk: str) -> None:
        # Some providers cut a character into two surrogates, and send them in two chunks.
        text = self._half.pop(kind, "") + chunk
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._half[kind] = text[-1]
            text = text[:-1]
        if text:
            whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            self._added.append(AddedText(kind, whole))

    def _add_calls(self) -> None:
        for place, call in enumerate(self.calls):
            if place == len(self._given):
                if not call.name:
                    return
                self._given.append("")
                self._begin_call(place, call.name)
            given = self._given[place]
            if call.arguments != given and call.arguments.startswith(given):
                if place != self._current_call:  # the chunks of parallel calls come in turns
                    self._begin_call(place, call.name)
                self._added.append(AddedText("called", call.arguments[len(given) :]))
                self._given[place] = call.arguments

    def _begin_call(self, place: int, name: str) -> None:
        self._current_call = place
        self._added.append(AddedText("called", f"{name} ", begins=True))
