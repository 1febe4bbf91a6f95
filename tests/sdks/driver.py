"""What a row of the matrix is: one SDK, used as its users use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .wires import TOOL, Wire

__all__ = ["Ask", "Driver", "called"]


@dataclass(frozen=True)
class Ask:
    """What the SDK is to ask.

    Args:
        url: Where the server listens.
        prompt: What the user says.
        tool: Whether the tool `TOOL` is offered, which the server then calls.
    """

    url: str
    prompt: str
    tool: bool = False


@dataclass(frozen=True)
class Driver:
    """One SDK, as its users use it.

    Both functions give what an application shows: each part of the text as it comes, and for the
    call of a tool what `called` makes of it. They close what they opened, at the latest when they
    are closed themselves.

    Args:
        wire: What the server has to speak.
        stream: Asks by the sync client; None where the SDK has none.
        astream: Asks by the async client.
        told_in_tool: The name of a tool by whose arguments the SDK has the *text* said, for those
            whose every answer is structured.
    """

    wire: Wire
    stream: Callable[[Ask], Iterator[str]] | None
    astream: Callable[[Ask], AsyncIterator[str]] | None
    told_in_tool: str | None = None


def called(name: str, arguments: Any) -> str:
    """Show the call of a tool."""
    return f"{name}({arguments})"


WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
"""The schema of the arguments of `TOOL`."""

FUNCTION = {
    "type": "function",
    "function": {"name": TOOL, "description": "The weather now.", "parameters": WEATHER},
}
"""`TOOL` as OpenAI's chat and those who follow it want it described."""
