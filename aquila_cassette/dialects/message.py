"""Build the message of a model (text, reasoning, tool calls, usage) from events."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from aquila_cassette.dialects.json_access import as_dict, as_str, dump_json

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


@dataclass(slots=True)
class _Part:
    """A run of text of one kind, or a tool call."""

    kind: TextKind
    id: str = ""
    name: str = ""


class MessageBuilder:
    """Gathers what a dialect reads; what is empty or of another type is passed over."""

    def __init__(self) -> None:
        self.piece = 0
        """The piece of the stream that what is added now came with."""
        self.changes = 0
        """How often anything was added: an event that changes nothing means nothing."""
        self._parts: list[_Part] = []
        self._texts: list[tuple[int, int, str]] = []  # each with its piece and its part
        self._open: dict[Hashable, int] = {}  # the parts of tool calls
        self._model = self._finish = self._error = ""
        self._usage: dict[str, Any] = {}

    @property
    def has_content(self) -> bool:
        """Whether there is any text, refusal or tool call so far."""
        return any(part.kind in ("words", "refusal", "call") for part in self._parts)

    def add_text(self, chunk: object) -> None:
        self._append("words", chunk)

    def add_reasoning(self, chunk: object) -> None:
        self._append("thought", chunk)

    def add_refusal(self, chunk: object) -> None:
        self._append("refusal", chunk)

    def add_call(
        self, key: Hashable, *, id_: object = "", name: object = "", arguments: object = ""
    ) -> None:
        """Add a tool call, or a chunk of its arguments' JSON text, or the arguments themselves.

        `key` is what the provider counts its calls by. Some count none and give each whole call the
        same key: then a new id begins a new call.
        """
        id_, name, text = as_str(id_), as_str(name), _as_json(arguments)
        place = self._open.get(key)
        before = "" if place is None else self._parts[place].id
        is_new = place is None or bool(id_ and before and before != id_)
        if place is None or is_new:
            place = self._open[key] = len(self._parts)
            self._parts.append(_Part("call"))
        call = self._parts[place]
        call.id = call.id or id_
        call.name = call.name or name
        self.changes += 1
        if is_new or text:
            self._texts.append((self.piece, place, text))

    def set_call(self, key: Hashable, *, id_: object = "", name: object, arguments: object) -> None:
        """Set the whole of a tool call of which chunks may have been added before."""
        self.add_call(key, id_=id_, name=name)
        place, whole = self._open[key], _as_json(arguments)
        before = self._joined()[place]
        if whole and not whole.startswith(before):  # what came before no longer counts
            self._texts = [
                (piece, at, "" if at == place else text) for piece, at, text in self._texts
            ]
            before = ""
        if rest := whole[len(before) :]:
            self._texts.append((self.piece, place, rest))

    def set_meta(
        self, *, model: object = "", usage: object = None, finish_reason: object = ""
    ) -> None:
        model, usage, finish_reason = as_str(model), as_dict(usage), as_str(finish_reason)
        self.changes += bool(model or usage or finish_reason)
        self._model = model or self._model
        self._usage.update(usage)
        self._finish = finish_reason or self._finish

    def set_error(self, message: object) -> None:
        # One failure often comes twice: as an event, and in the answer's last state.
        if message != self._error:
            self._error = as_str(message) or self._error
            self._append("error", message)

    def build(self, dialect: str | None) -> ModelMessage:
        texts = list(zip(self._parts, self._joined(), strict=True))

        def said(kind: TextKind) -> str:
            return without_surrogates("".join(text for part, text in texts if part.kind == kind))

        return ModelMessage(
            text=said("words"),
            reasoning=said("thought"),
            tool_calls=tuple(
                ModelToolCall(without_surrogates(part.name), without_surrogates(text), part.id)
                for part, text in texts
                if part.kind == "call"
            ),
            refusal=said("refusal"),
            model=without_surrogates(self._model) or None,
            usage=self._usage or None,
            finish_reason=without_surrogates(self._finish) or None,
            error=without_surrogates(self._error) or None,
            dialect=dialect,
        )

    def timeline(self) -> list[TimedText]:
        return self._timed(sorted(self._texts, key=itemgetter(0, 1)))

    def newest(self) -> list[TimedText]:
        """Return the texts that came with the current piece."""
        first = bisect_left(self._texts, self.piece, key=itemgetter(0))
        return self._timed(self._texts[first:])

    def _timed(self, texts: list[tuple[int, int, str]]) -> list[TimedText]:
        parts = self._parts
        return [
            TimedText(piece, place, parts[place].kind, parts[place].name, text)
            for piece, place, text in texts
        ]

    def _append(self, kind: TextKind, chunk: object) -> None:
        if text := as_str(chunk):
            self.changes += 1
            if not self._parts or self._parts[-1].kind != kind or kind == "error":
                self._parts.append(_Part(kind))
            self._texts.append((self.piece, len(self._parts) - 1, text))

    def _joined(self) -> list[str]:
        """Return the text of each part."""
        texts: list[list[str]] = [[] for _ in self._parts]
        for _, place, text in self._texts:
            texts[place].append(text)
        return ["".join(each) for each in texts]


def _as_json(arguments: object) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return dump_json(arguments)


def without_surrogates(text: str) -> str:
    """Make characters whole again that their provider cut into two surrogates."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
