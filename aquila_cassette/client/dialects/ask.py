"""What is asked of a model, in no provider's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MADE_UP", "Ask", "Outcome", "ToolOffer", "extended"]

MADE_UP = "unnamed-call-"
"""How the ids begin that are made up for calls to which a provider gave none."""


@dataclass(frozen=True)
class ToolOffer:
    """A tool as the model is told of it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What one tool call came to: what the model is told, under the call's id and name."""

    id: str
    name: str
    arguments: str
    result: str
    failed: bool = False


@dataclass(frozen=True)
class Ask:
    """A request as its user meant it.

    Args:
        model: The model's name.
        messages: The conversation, in the provider's form; roles with plain text are common to all.
        instructions: What the model is told beforehand; None for nothing.
        tools: What it may call.
        max_tokens: The most tokens it may answer with; None for the provider's own limit.
        previous_response_id: The stored response that this one continues.
        store: Whether the provider shall store the response.
        extra_body: Fields of the request that go over all others; None takes a field away.
    """

    model: str
    messages: tuple[dict[str, Any], ...]
    instructions: str | None = None
    tools: tuple[ToolOffer, ...] = ()
    max_tokens: int | None = None
    previous_response_id: str | None = None
    store: bool = False
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def extended(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Put `extra` over `body`, and leave out all fields that are None.

    Example:
        >>> extended({"stream": True, "user": None}, {"seed": 7})
        {'stream': True, 'seed': 7}
    """
    return {name: value for name, value in {**body, **extra}.items() if value is not None}
