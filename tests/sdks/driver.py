"""What a row of the matrix is: one SDK, used as its users use it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any

from tests.sdks.wires import TOOL, Wire

FACES = ("sync", "async")

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


@dataclass(frozen=True)
class Ask:
    """What the SDK is to ask of the server at `url`; with `tool` it offers `TOOL`."""

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
    """One SDK, as its users use it; None where it has no sync or no async client.

    Both functions give what an application shows: each part of the text as it comes, and for the
    call of a tool what `called` makes of it. They close what they opened, at the latest when they
    are closed themselves. SDKs that only have structured answers get the text in the arguments of
    `text_tool`.
    """

    wire: Wire
    stream: Callable[[Ask], Iterator[str]] | None
    astream: Callable[[Ask], AsyncIterator[str]] | None
    text_tool: str | None = None

    def face(self, face: str) -> Callable[[Ask], Any] | None:
        return self.stream if face == "sync" else self.astream


def driver(
    wire: Wire,
    opened: Callable[[Ask, Any], Any] | None,
    opened_async: Callable[[Ask, Any], Any] | None,
    parts: Callable[[Any], Iterator[str]],
) -> Driver:
    """Make the driver of an SDK that gives a stream of events; `parts` is what each shows.

    The functions that open one enter what is to be closed by their second argument.
    """

    def stream(ask: Ask) -> Iterator[str]:
        assert opened is not None
        with ExitStack() as stack:
            for event in opened(ask, stack.enter_context):
                yield from parts(event)

    async def astream(ask: Ask) -> AsyncIterator[str]:
        assert opened_async is not None
        async with AsyncExitStack() as stack:
            async for event in await opened_async(ask, stack.enter_async_context):
                for part in parts(event):
                    yield part

    return Driver(wire, opened and stream, opened_async and astream)


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
