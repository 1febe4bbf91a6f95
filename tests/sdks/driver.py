"""What a row of the matrix is: one SDK, used as its users use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any

from tests.sdks.wires import TOOL, Wire

__all__ = ["FUNCTION", "WEATHER", "Ask", "Driver", "called", "chunk_parts", "driver"]


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

    @property
    def messages(self) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.prompt}]

    def chat(self, model: str, **options: Any) -> dict[str, Any]:
        """Return the arguments of a chat completion, as OpenAI and those who follow it have them."""
        tools = {"tools": [FUNCTION]} if self.tool else {}
        return {"model": model, "messages": self.messages, **tools, **options}


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
        text_tool: The name of a tool in whose arguments the SDK has the *text* sent, for those
            that only have structured answers.
    """

    wire: Wire
    stream: Callable[[Ask], Iterator[str]] | None
    astream: Callable[[Ask], AsyncIterator[str]] | None
    text_tool: str | None = None


def driver(
    wire: Wire,
    opened: Callable[[Ask], AbstractContextManager[Any]] | None,
    opened_async: Callable[[Ask], AbstractAsyncContextManager[Any]] | None,
    parts: Callable[[Any], Iterator[str]],
    text_tool: str | None = None,
) -> Driver:
    """Make the driver of an SDK that opens its stream of events as a context manager.

    Args:
        wire: What the server has to speak.
        opened: Opens the events of the sync client, if it has one.
        opened_async: Opens those of the async client, if it has one.
        parts: Gives what an application shows of an event.
        text_tool: As for `Driver`.
    """

    def stream(ask: Ask) -> Iterator[str]:
        assert opened is not None
        with opened(ask) as events:
            for event in events:
                yield from parts(event)

    async def astream(ask: Ask) -> AsyncIterator[str]:
        assert opened_async is not None
        async with opened_async(ask) as events:
            async for event in events:
                for part in parts(event):
                    yield part

    return Driver(wire, opened and stream, opened_async and astream, text_tool)


def called(name: str, arguments: Any) -> str:
    """Show the call of a tool."""
    return f"{name}({arguments})"


def chunk_parts(chunk: Any) -> Iterator[str]:
    """Yield what a chunk of a chat completion shows; many SDKs have objects of this shape."""
    for choice in chunk.choices:
        if choice.delta.content:
            yield choice.delta.content
        for call in getattr(choice.delta, "tool_calls", None) or ():
            yield called(getattr(call.function, "name", None) or "", call.function.arguments)


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
