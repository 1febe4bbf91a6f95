"""Chat models of langchain, which are all used alike."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from tests.sdks.driver import FUNCTION, Ask, Driver, called
from tests.sdks.wires import Wire

__all__ = ["langchain"]


def langchain(wire: Wire, model: Callable[[Ask], Any]) -> Driver:
    """Give the driver of a chat model."""

    def made(ask: Ask) -> Any:
        return model(ask).bind_tools([FUNCTION]) if ask.tool else model(ask)

    def stream(ask: Ask) -> Iterator[str]:
        with contextlib.closing(made(ask).stream(ask.prompt)) as chunks:
            for chunk in chunks:
                yield from _shown(chunk)

    async def astream(ask: Ask) -> AsyncIterator[str]:
        async with contextlib.aclosing(made(ask).astream(ask.prompt)) as chunks:
            async for chunk in chunks:
                for part in _shown(chunk):
                    yield part

    return Driver(wire, stream, astream)


def _shown(chunk: Any) -> Iterator[str]:
    if text := chunk.text:
        yield text
    for call in chunk.tool_call_chunks:
        yield called(call["name"] or "", call["args"])
