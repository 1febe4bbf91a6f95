from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from mistralai.client import Mistral

from tests.sdks.driver import FUNCTION, Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.wires.chat import MISTRAL

__all__ = ["DRIVER"]


def _client(ask: Ask) -> Any:
    return Mistral(api_key="test", server_url=ask.url)


def _arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    messages = [{"role": "user", "content": ask.prompt}]
    return {"model": "mistral-small-latest", "messages": messages, **tools}


def stream(ask: Ask) -> Iterator[str]:
    with _client(ask) as client, client.chat.stream(**_arguments(ask)) as events:
        for event in events:
            yield from shown(event.data)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with (
        _client(ask) as client,
        await client.chat.stream_async(**_arguments(ask)) as events,
    ):
        async for event in events:
            for part in shown(event.data):
                yield part


DRIVER = Driver(MISTRAL, stream, astream)
