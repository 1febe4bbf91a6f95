from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import ollama

from tests.sdks.driver import FUNCTION, Ask, Driver, called
from tests.sdks.wires.ollama import OLLAMA

__all__ = ["DRIVER"]


def _arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    messages = [{"role": "user", "content": ask.prompt}]
    return {"model": "llama3.2", "messages": messages, "stream": True, **tools}


def _shown(chunk: Any) -> Iterator[str]:
    if chunk.message.content:
        yield chunk.message.content
    for call in chunk.message.tool_calls or ():
        yield called(call.function.name, dict(call.function.arguments))


def stream(ask: Ask) -> Iterator[str]:
    with ollama.Client(host=ask.url) as client:
        chunks = client.chat(**_arguments(ask))
        with contextlib.closing(chunks):
            for chunk in chunks:
                yield from _shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with ollama.AsyncClient(host=ask.url) as client:
        chunks = await client.chat(**_arguments(ask))
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                for part in _shown(chunk):
                    yield part


DRIVER = Driver(OLLAMA, stream, astream)
