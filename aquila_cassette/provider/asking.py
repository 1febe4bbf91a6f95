"""What a request asks for and what is answered, in no provider's dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .chance import Seed

CREATED = 1_767_225_600
"""The time of every answer, in s since 1970: the first second of 2026."""


class RefusedError(Exception):
    """A request that is answered with an error status; its text is the error's message."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Tool:
    """A function that the model may call, and the JSON schema of its arguments."""

    name: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a tool that was called gave back."""

    name: str
    text: str


@dataclass(frozen=True)
class Ask:
    """A request as a person would sum it up.

    Args:
        body: The request's JSON, for what an answer echoes.
        model: The model's name.
        prompt: What the user said last.
        results: What tools gave back since; the model's turn is then to use it.
        tools: What the model may call.
        forced: Whether it must call one.
        stream: Whether to stream the answer.
        max_tokens: After how many tokens to cut the answer.
        input_tokens: How many tokens the request has.
        seed: What all that is made up derives from.
    """

    body: dict[str, Any]
    model: str
    prompt: str
    results: tuple[Result, ...]
    tools: tuple[Tool, ...]
    forced: bool
    stream: bool
    max_tokens: int | None
    input_tokens: int
    seed: Seed


@dataclass(frozen=True)
class Call:
    """A tool call: its arguments as JSON text, cut into tokens."""

    name: str
    arguments: dict[str, Any]
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Reply:
    """An answer: text in tokens, or calls, never both; `cut` when it ran into max_tokens."""

    tokens: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    cut: bool = False

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.tokens)

    @property
    def output_tokens(self) -> int:
        """How many tokens the answer has."""
        return len(self.tokens) + sum(len(call.tokens) for call in self.calls)


def records(value: Any) -> list[dict[str, Any]]:
    """Give the objects in a JSON array; none where `value` is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def record(value: Any) -> dict[str, Any]:
    """Give a JSON object; an empty one where `value` is none."""
    return value if isinstance(value, dict) else {}


def string(value: Any) -> str:
    """Give a string; an empty one where `value` is none."""
    return value if isinstance(value, str) else ""


def text_of(content: Any) -> str:
    """Give the text of a message's content: a string, or parts of which some have a `text`.

    Example:
        >>> text_of([{"type": "text", "text": "Say "}, {"type": "text", "text": "hello"}])
        'Say hello'
    """
    if isinstance(content, str):
        return content
    return "".join(string(part.get("text")) for part in records(content))


def tools_of(offers: Iterable[tuple[Any, Any]], only: Any = None) -> tuple[Tool, ...]:
    """Give the tools among `offers`, names and schemas; if `only` lists names, those alone."""
    wanted = only if isinstance(only, list) and only else None
    return tuple(
        Tool(name, record(schema))
        for name, schema in offers
        if isinstance(name, str) and name and (wanted is None or name in wanted)
    )


def last(texts: list[str]) -> str:
    """Give the last text that says something; an empty one if none does."""
    return next((text for text in reversed(texts) if text), "")


def count(value: Any) -> int | None:
    """Give a positive integer; None where `value` is none."""
    return value if type(value) is int and value > 0 else None
