"""What a row of the matrix is: one SDK, used as its users use it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from inspect import isawaitable
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
    """What the SDK is to ask of the server at `url`, and with which client; it may offer `TOOL`."""

    url: str
    prompt: str
    tool: bool = False
    is_async: bool = False

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
    stream: Callable[[Ask], Any] | None
    astream: Callable[[Ask], Any] | None
    text_tool: str | None = None

    def face(self, face: str) -> Callable[[Ask], Any] | None:
        return self.stream if face == "sync" else self.astream


def driver(
    wire: Wire,
    makes: tuple[Any, Any],
    client: Callable[[Any, Ask], Any],
    events: Callable[[Any, Ask], Any],
    parts: Callable[[Any], Iterator[str]],
) -> Driver:
    """Make the driver of an SDK that gives a stream of events; `parts` is what each shows.

    `client` makes a client of one of `makes`, sync or async, and `events` asks it; both are entered
    or closed as they can be.
    """

    def stream(ask: Ask) -> Iterator[str]:
        with ExitStack() as stack:
            made = _entered(stack, client(makes[0], ask))
            for event in _entered(stack, events(made, ask)):
                yield from parts(event)

    async def astream(ask: Ask) -> AsyncIterator[str]:
        ask = replace(ask, is_async=True)
        async with AsyncExitStack() as stack:
            opened = events(await _entered_async(stack, client(makes[1], ask)), ask)
            opened = await opened if isawaitable(opened) else opened
            async for event in await _entered_async(stack, opened):
                for part in parts(event):
                    yield part

    return Driver(wire, stream if makes[0] else None, astream if makes[1] else None)


def _entered(stack: ExitStack, one: Any) -> Any:
    if hasattr(one, "__enter__"):
        return stack.enter_context(one)
    if hasattr(one, "close"):
        stack.callback(one.close)
    return one


async def _entered_async(stack: AsyncExitStack, one: Any) -> Any:
    if hasattr(one, "__aenter__"):
        return await stack.enter_async_context(one)
    if hasattr(one, "aclose"):
        stack.push_async_callback(one.aclose)
    return one


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
