"""The events of a stream, its reference and its summary: frozen data classes for `match` statements."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, TypeAlias

from aquila_cassette.sse import Event as SseEvent

_numbers = count(1)


class StreamRef:
    """Names one stream; two are equal only if they are the same object.

    Any other hashable object serves as well: pass it as ``ref``.

    Example:
        >>> StreamRef() == StreamRef()
        False
    """

    def __init__(self) -> None:
        self._number = next(_numbers)

    def __repr__(self) -> str:
        return f"<StreamRef {self._number}>"


@dataclass(frozen=True)
class Meta:
    """What is known about an answer besides its text.

    Args:
        response_id: The provider's id of the last response; None where it gave none.
        model: The model as the provider names it, which may differ from the one asked for.
        usage: The provider's counts under the provider's names, summed over all rounds.
        finish_reason: Why the model stopped, in the provider's words.
        status: ``completed``, or the kind of failure.
        endpoint: Which endpoint answered: ``chat``, ``responses``, ``messages`` or ``gemini``.
    """

    response_id: str | None = None
    model: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None
    status: str = "completed"
    endpoint: str = ""


@dataclass(frozen=True)
class Chunk:
    """A chunk of the answer's text; never empty, and never half a character."""

    text: str
    ref: Hashable = field(kw_only=True)


@dataclass(frozen=True)
class Reasoning:
    """A chunk of the model's reasoning, where the provider shows it."""

    text: str
    ref: Hashable = field(kw_only=True)


@dataclass(frozen=True)
class ToolCall:
    """A tool is called, or returned its result.

    Args:
        phase: ``start`` before the tool runs, ``result`` after it did.
        name: The tool's name.
        arguments: The arguments as the JSON text that the model wrote.
        result: What the model gets; None at the start.
        failed: Whether that is an error.
        id: The id of the call, which start and result share.
        ref: The stream's ref.
    """

    phase: Literal["start", "result"]
    name: str
    arguments: str
    result: str | None = None
    failed: bool = field(default=False, kw_only=True)
    id: str = field(default="", kw_only=True)
    ref: Hashable = field(kw_only=True)


@dataclass(frozen=True)
class Raw:
    """A provider's event that means none of the others: a ping, a search's progress, anything new.

    Args:
        event: The event as it came: its type and its data.
        ref: The stream's ref.
    """

    event: SseEvent
    ref: Hashable = field(kw_only=True)


@dataclass(frozen=True)
class Done:
    """The answer is complete; the last event of a stream that went well.

    Args:
        text: The whole text: all chunks, joined.
        meta: What else is known.
        messages: The conversation with this answer, in the provider's form, to be sent again.
        ref: The stream's ref.
    """

    text: str
    meta: Meta
    messages: tuple[dict[str, Any], ...] = field(default=(), kw_only=True, repr=False)
    ref: Hashable = field(kw_only=True)


@dataclass(frozen=True)
class Error:
    """The stream ended without a real completion; the last event of one that failed.

    Args:
        reason: Why, in the provider's own words where it gave any.
        kind: What sort of failure it was: ``http``, ``provider``, ``refusal``, ``incomplete``, ``cut``,
            ``transport``, ``timeout``, ``cancelled``, ``sink``, ``rounds`` or ``protocol``.
        status: The HTTP status; None where no answer came.
        text: The text until then.
        meta: What else is known.
        cause: The exception behind it, if there was one.
        ref: The stream's ref.
    """

    reason: str
    kind: str = field(kw_only=True)
    status: int | None = field(default=None, kw_only=True)
    text: str = field(default="", kw_only=True)
    meta: Meta = field(default_factory=Meta, kw_only=True)
    cause: BaseException | None = field(default=None, kw_only=True, compare=False, repr=False)
    ref: Hashable = field(kw_only=True)


StreamEvent: TypeAlias = Chunk | Reasoning | ToolCall | Raw | Done | Error
"""Any event of a stream; exactly one `Done` or `Error` is the last."""


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    Args:
        text: The text.
        meta: What else is known.
        messages: The conversation with this answer, in the provider's form: pass it, with the next
            message, as the next prompt.
    """

    text: str
    meta: Meta
    messages: list[dict[str, Any]] = field(default_factory=list, repr=False)
