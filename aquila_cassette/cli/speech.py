"""What an answer says, as it comes: each piece of bytes to what it adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette import sse
from aquila_cassette.dialects import DIALECTS, read_message
from aquila_cassette.dialects.dialect import provider_error
from aquila_cassette.dialects.framing import framing, is_complete_frame, read_event, split_frames
from aquila_cassette.dialects.lenient import as_dict, as_str
from aquila_cassette.dialects.message import MessageBuilder
from aquila_cassette.transcript.comparison.noise import FILLERS
from aquila_cassette.transcript.humanize import body_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.dialects import Dialect
    from aquila_cassette.dialects.framing import Framing, ProviderEvent

__all__ = ["Listener", "Utterance"]

Kind = Literal["thought", "said", "refused", "called", "error", "event", "body"]


class Utterance(NamedTuple):
    """A piece of what is said.

    Args:
        kind: What it is; ``event`` is the data of one that no dialect knows, ``body`` a line of
            an answer that no model gave.
        text: It.
        begins: Whether it begins something new: another tool call, another event.
    """

    kind: Kind
    text: str
    begins: bool = False


class Listener:
    r"""Hears an answer a piece at a time.

    Args:
        content_type: The answer's content type; None if there was none.

    Example:
        >>> listener = Listener("text/event-stream")
        >>> listener.push(b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n')
        []
        >>> listener.push(b'\n')
        [Utterance(kind='said', text='Hel', begins=False)]
    """

    def __init__(self, content_type: str | None) -> None:
        self._type = content_type
        self._how: Framing = "json"  # as long as nothing tells otherwise
        self._waiting = b""
        self._decoder = sse.Decoder()
        self._dialect: Dialect | None = None
        self._speech = _Speech()

    def push(self, piece: bytes) -> list[Utterance]:
        """Hear the next piece.

        Args:
            piece: The bytes of one read off the wire.
        """
        if self._how == "json":
            piece, self._waiting = self._waiting + piece, b""
            if piece.strip():
                self._how = framing(self._type, piece)
        return [one for raw in self._units(piece) for one in self._hear(raw)]

    def finish(self) -> list[Utterance]:
        """Hear that nothing follows."""
        if self._how == "json":
            return list(self._at_once())
        rest = self._waiting
        if self._how == "sse" and (frame := self._decoder.flush()):
            rest = frame.raw
        return [*(self._hear(rest) if rest else ()), *self._speech.take(last=True)]

    def _units(self, piece: bytes) -> Iterator[bytes]:
        """Give the whole frames or lines that there are now."""
        if self._how == "sse":
            yield from (frame.raw for frame in self._decoder.decode(piece))
            return
        self._waiting += piece
        if self._how == "ndjson":
            *lines, self._waiting = self._waiting.split(b"\n")
            yield from lines
        if self._how == "eventstream":
            found = split_frames(self._how, self._waiting)
            whole = [raw for raw in found if is_complete_frame(self._how, raw)]
            self._waiting = b"".join(found[len(whole) :])
            yield from whole

    def _hear(self, raw: bytes) -> Iterator[Utterance]:
        message = read_event(self._how, raw)
        if message is None:
            return
        if self._dialect is None:
            found = (dialect for dialect in DIALECTS if dialect.recognises(message))
            self._dialect = next(found, None)
        error = provider_error(message)
        self._speech.set_error(error or "")
        if self._dialect is not None:
            self._dialect.read_event(message, self._speech)
        elif error is None and not _is_nothing(message):
            yield Utterance("event", message.data, begins=True)
        yield from self._speech.take()

    def _at_once(self) -> Iterator[Utterance]:
        """Hear an answer that was no stream."""
        heard = read_message(self._type, self._waiting)
        texts: tuple[tuple[Kind, str], ...] = (
            ("thought", heard.reasoning),
            ("said", heard.text),
            ("refused", heard.refusal),
            *(("called", _call(call.name, call.arguments)) for call in heard.tool_calls),
            ("error", heard.error or ""),
        )
        any_ = False
        for kind, text in texts:
            if text:
                any_ = True
                yield Utterance(kind, text, begins=True)
        if not any_ and self._waiting:
            for line in body_lines(self._waiting, self._type):
                yield Utterance("body", line, begins=True)


class _Speech(MessageBuilder):
    """What a dialect speaks to: gathers what each message adds."""

    def __init__(self) -> None:
        super().__init__()
        self._new: list[Utterance] = []
        self._half: dict[Kind, str] = {}
        self._told: list[str] = []
        self._at = -1  # the call that was told of last
        self._error_told = ""

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
        if message and message != self._error_told:
            self._error_told = message
            self._new.append(Utterance("error", message, begins=True))

    def take(self, *, last: bool = False) -> list[Utterance]:
        """Give what is new since the last call.

        Args:
            last: Whether nothing follows, so that half a character is given as it is.
        """
        self._tell_calls()
        if last:
            for kind, half in self._half.items():
                if half:
                    self._new.append(Utterance(kind, "\N{REPLACEMENT CHARACTER}"))
        new, self._new = self._new, []
        return new

    def _add(self, kind: Kind, chunk: str) -> None:
        # Some providers cut a character into two surrogates, and send them in two chunks.
        text = self._half.pop(kind, "") + chunk
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._half[kind] = text[-1]
            text = text[:-1]
        if text:
            whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            self._new.append(Utterance(kind, whole))

    def _tell_calls(self) -> None:
        for place, call in enumerate(self.calls):
            if place == len(self._told):
                if not call.name:
                    return
                self._told.append("")
                self._begin_call(place, call.name)
            told = self._told[place]
            if call.arguments != told and call.arguments.startswith(told):
                if place != self._at:  # calls that are made side by side
                    self._begin_call(place, call.name)
                self._new.append(Utterance("called", call.arguments[len(told) :]))
                self._told[place] = call.arguments

    def _begin_call(self, place: int, name: str) -> None:
        self._at = place
        self._new.append(Utterance("called", _call(name, ""), begins=True))


def _call(name: str, arguments: str) -> str:
    return f"{name} {arguments}"


def _is_nothing(message: ProviderEvent) -> bool:
    kinds = (message.type, as_str(as_dict(message.json).get("type")))
    return message.data.startswith("[DONE]") or not FILLERS.isdisjoint(kinds)
