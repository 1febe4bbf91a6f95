"""Build the message of a model (text, reasoning, tool calls, usage) from events."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal, NamedTuple

TextKind = Literal["words", "thought", "refusal", "call", "error"]


@dataclass(frozen=True, slots=True)
class ModelToolCall:
    """A tool the model calls."""

    name: str
    arguments: str  # its arguments, as the JSON text the model wrote; cut off where the stream was
    # The provider's id of the call, which its result must name; empty where it gives none.
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """What a model wrote in one answer; of several choices, the first one."""

    text: str = ""
    reasoning: str = ""  # what it thought before, where the provider shows that
    tool_calls: tuple[ModelToolCall, ...] = ()  # the tools it calls, in their order
    refusal: str = ""  # why it would not answer; empty where it did
    model: str | None = None  # the model's name as the provider gives it
    usage: dict[str, Any] | None = None  # the provider's counts, under the provider's names
    finish_reason: str | None = None  # why it stopped, in the provider's words
    error: str | None = None  # the provider's message where it sent an error
    dialect: str | None = None  # the name of the dialect that was read; None where none is known


class TimedText(NamedTuple):
    """What one event of a stream added."""

    piece: int  # which piece brought the end of the event, from 0
    part: int  # which part of the answer it belongs to, from 0: words, a thought, one tool call
    kind: TextKind  # what that part is
    name: str  # the tool's name, of a call
    # The text added; empty where a call began with its name alone. A character that its provider
    # cut into two surrogates is whole again once a part's texts are joined.
    text: str


class _Part:
    """A run of text of one kind, or a tool call: its texts, each with the piece that brought it."""

    __slots__ = ("id", "kind", "name", "texts")

    def __init__(self, kind: TextKind, id_: str = "", name: str = "") -> None:
        self.kind: TextKind = kind
        self.id = id_
        self.name = name
        self.texts: list[tuple[int, str]] = []

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.texts)


class MessageBuilder:
    """Gathers what a dialect reads; what is empty is passed over."""

    def __init__(self) -> None:
        self.piece = 0
        """The piece of the stream that what is added now came with."""
        self._parts: list[_Part] = []
        self._open: dict[Hashable, _Part] = {}
        self._model = self._finish = self._error = ""
        self._usage: dict[str, Any] = {}

    @property
    def has_content(self) -> bool:
        """Whether there is any text, refusal or tool call so far."""
        return any(part.kind in ("words", "refusal", "call") for part in self._parts)

    @property
    def calls(self) -> list[ModelToolCall]:
        return [
            ModelToolCall(_without_surrogates(part.name), _without_surrogates(part.text), part.id)
            for part in self._parts
            if part.kind == "call"
        ]

    def add_text(self, chunk: str) -> None:
        self._append("words", chunk)

    def add_reasoning(self, chunk: str) -> None:
        self._append("thought", chunk)

    def add_refusal(self, chunk: str) -> None:
        self._append("refusal", chunk)

    def add_call(
        self, key: Hashable, *, id_: str = "", name: str = "", arguments: str = ""
    ) -> None:
        """Add a tool call, or a chunk of its arguments' JSON text.

        `key` is what the provider counts its calls by. Some count none and give each whole call the
        same key: then a new id begins a new call.
        """
        call = self._open.get(key)
        is_new = call is None or bool(id_ and call.id and call.id != id_)
        if call is None or is_new:
            call = self._open[key] = _Part("call", id_, name)
            self._parts.append(call)
        call.id = call.id or id_
        call.name = call.name or name
        if is_new or arguments:
            call.texts.append((self.piece, arguments))

    def set_call(self, key: Hashable, *, id_: str = "", name: str, arguments: str) -> None:
        """Set the whole of a tool call of which chunks may have been added before."""
        self.add_call(key, id_=id_, name=name)
        call = self._open[key]
        before = call.text
        if arguments.startswith(before):
            if rest := arguments[len(before) :]:
                call.texts.append((self.piece, rest))
        elif arguments:  # what came before no longer counts
            call.texts = [(call.texts[0][0], ""), (self.piece, arguments)]

    def set_meta(
        self, *, model: str = "", usage: dict[str, Any] | None = None, finish_reason: str = ""
    ) -> None:
        self._model = model or self._model
        self._usage.update(usage or {})
        self._finish = finish_reason or self._finish

    def set_error(self, message: str) -> None:
        # One failure often comes twice: as an event, and in the answer's last state.
        if message and message != self._error:
            self._error = message
            self._parts.append(_Part("error"))
            self._parts[-1].texts.append((self.piece, message))

    def build(self, dialect: str | None) -> ModelMessage:
        return ModelMessage(
            text=self._text("words"),
            reasoning=self._text("thought"),
            tool_calls=tuple(self.calls),
            refusal=self._text("refusal"),
            model=_without_surrogates(self._model) or None,
            usage=self._usage or None,
            finish_reason=_without_surrogates(self._finish) or None,
            error=_without_surrogates(self._error) or None,
            dialect=dialect,
        )

    def timeline(self) -> list[TimedText]:
        found = [
            TimedText(piece, place, part.kind, part.name, text)
            for place, part in enumerate(self._parts)
            for piece, text in part.texts
        ]
        return sorted(found, key=lambda one: one.piece)

    def newest(self) -> Iterator[TimedText]:
        """Yield the texts that came with the current piece."""
        for place, part in enumerate(self._parts):
            first = bisect_left(part.texts, self.piece, key=itemgetter(0))
            for _, text in part.texts[first:]:
                yield TimedText(self.piece, place, part.kind, part.name, text)

    def _append(self, kind: TextKind, chunk: str) -> None:
        if chunk:
            if not self._parts or self._parts[-1].kind != kind:
                self._parts.append(_Part(kind))
            self._parts[-1].texts.append((self.piece, chunk))

    def _text(self, kind: TextKind) -> str:
        return _without_surrogates("".join(part.text for part in self._parts if part.kind == kind))


def _without_surrogates(text: str) -> str:
    """Make characters whole again that their provider cut into two surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
