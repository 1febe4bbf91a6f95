"""What a model wrote in one answer, and how it is built from the events of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["MessageBuilder", "ModelMessage", "ModelToolCall"]


@dataclass(frozen=True, slots=True)
class ModelToolCall:
    """A tool the model calls.

    Args:
        name: The tool's name.
        arguments: Its arguments, as the JSON text the model wrote; cut off where the stream was.
        id: The provider's id of the call, which its result must name; empty where it gives none.
    """

    name: str
    arguments: str
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """What a model wrote in one answer; of several choices, the first one.

    Args:
        text: The answer.
        reasoning: What it thought before, where the provider shows that.
        tool_calls: The tools it calls, in their order.
        refusal: Why it would not answer; empty where it did.
        model: The model's name as the provider gives it.
        usage: The provider's counts, under the provider's names.
        finish_reason: Why it stopped, in the provider's words.
        error: The provider's message where it sent an error.
        dialect: The name of the dialect that was read; None where none is known.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ModelToolCall, ...] = ()
    refusal: str = ""
    model: str | None = None
    usage: dict[str, Any] | None = None
    finish_reason: str | None = None
    error: str | None = None
    dialect: str | None = None


class _Call:
    __slots__ = ("arguments", "id", "name")

    def __init__(self, id_: str, name: str) -> None:
        self.id = id_
        self.name = name
        self.arguments: list[str] = []


class MessageBuilder:
    """Gathers what a dialect reads; what is empty is passed over.

    Example:
        >>> builder = MessageBuilder()
        >>> builder.add_text("Hel"); builder.add_text("lo")
        >>> builder.build("openai-chat").text
        'Hello'
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._open: dict[Hashable, _Call] = {}
        self._model = ""
        self._usage: dict[str, Any] = {}
        self._finish = ""
        self._error = ""

    @property
    def has_content(self) -> bool:
        """Whether there is any text, refusal or tool call so far."""
        return bool(self._text or self._calls or self._refusal)

    @property
    def calls(self) -> list[ModelToolCall]:
        """The tool calls so far, in their order."""
        return [
            ModelToolCall(_joined([call.name]), _joined(call.arguments), call.id)
            for call in self._calls
        ]

    def add_text(self, chunk: str) -> None:
        """Add a chunk of the answer."""
        if chunk:
            self._text.append(chunk)

    def add_reasoning(self, chunk: str) -> None:
        """Add a chunk of the reasoning."""
        if chunk:
            self._reasoning.append(chunk)

    def add_refusal(self, chunk: str) -> None:
        """Add a chunk of a refusal."""
        if chunk:
            self._refusal.append(chunk)

    def add_call(
        self, key: Hashable, *, id_: str = "", name: str = "", arguments: str = ""
    ) -> None:
        """Add a tool call, or a chunk of its arguments.

        Args:
            key: What the provider counts its calls by. Some count none and give each whole call
                the same key: then a new id begins a new call.
            id_: The call's id.
            name: The tool's name.
            arguments: A chunk of the arguments' JSON text.
        """
        call = self._open.get(key)
        if call is None or (id_ and call.id and call.id != id_):
            call = self._open[key] = _Call(id_, name)
            self._calls.append(call)
        call.id = call.id or id_
        call.name = call.name or name
        if arguments:
            call.arguments.append(arguments)

    def set_call(self, key: Hashable, *, id_: str = "", name: str, arguments: str) -> None:
        """Set the whole of a tool call of which chunks may have been added before."""
        self.add_call(key, id_=id_, name=name)
        if arguments:
            self._open[key].arguments = [arguments]

    def set_meta(
        self, *, model: str = "", usage: dict[str, Any] | None = None, finish_reason: str = ""
    ) -> None:
        """Set what is known about the answer: its model, its counts, why it stopped."""
        self._model = model or self._model
        self._usage.update(usage or {})
        self._finish = finish_reason or self._finish

    def set_error(self, message: str) -> None:
        """Set the provider's error; the last one counts."""
        self._error = message or self._error

    def build(self, dialect: str | None) -> ModelMessage:
        """Return the message so far."""
        return ModelMessage(
            text=_joined(self._text),
            reasoning=_joined(self._reasoning),
            tool_calls=tuple(self.calls),
            refusal=_joined(self._refusal),
            model=_joined([self._model]) or None,
            usage=self._usage or None,
            finish_reason=_joined([self._finish]) or None,
            error=_joined([self._error]) or None,
            dialect=dialect,
        )


def _joined(chunks: list[str]) -> str:
    """Join chunks; a character that its provider cut into two surrogates is whole again."""
    text = "".join(chunks)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
