from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import cohere

from tests.sdks.driver import FUNCTION, Ask, Driver, called
from tests.sdks.wires.cohere import COHERE

__all__ = ["DRIVER"]


def _arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    messages = [{"role": "user", "content": ask.prompt}]
    return {"model": "command-a-03-2025", "messages": messages, **tools}


def _shown(event: Any) -> Iterator[str]:
    if event.type == "content-delta":
        yield event.delta.message.content.text
    elif event.type in ("tool-call-start", "tool-call-delta"):
        function = event.delta.message.tool_calls.function
        yield called(getattr(function, "name", None) or "", function.arguments)


def stream(ask: Ask) -> Iterator[str]:
    with cohere.ClientV2(api_key="test", base_url=ask.url) as client:
        events = client.chat_stream(**_arguments(ask))
        with contextlib.closing(events):
            for event in events:
                yield from _shown(event)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with cohere.AsyncClientV2(api_key="test", base_url=ask.url) as client:
        events = client.chat_stream(**_arguments(ask))
        async with contextlib.aclosing(events):
            async for event in events:
                for part in _shown(event):
                    yield part


DRIVER = Driver(COHERE, stream, astream)
