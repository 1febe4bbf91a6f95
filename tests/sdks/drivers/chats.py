"""SDKs whose chat completions are used alike: OpenAI's, and those generated like it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from tests.sdks.driver import FUNCTION, Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.wires.chat import CHAT

__all__ = ["chat"]

Make = Callable[[Ask], Any]
"""Makes a client for what is to be asked."""


def chat(client: Make | None, async_client: Make) -> Driver:
    """Give the driver of such an SDK."""
    return Driver(CHAT, None if client is None else _stream(client), _astream(async_client))


def _arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    messages = [{"role": "user", "content": ask.prompt}]
    return {"model": "gpt-4o-mini", "messages": messages, "stream": True, **tools}


def _stream(client: Make) -> Callable[[Ask], Iterator[str]]:
    def stream(ask: Ask) -> Iterator[str]:
        with client(ask) as made, made.chat.completions.create(**_arguments(ask)) as chunks:
            for chunk in chunks:
                yield from shown(chunk)

    return stream


def _astream(client: Make) -> Callable[[Ask], AsyncIterator[str]]:
    async def astream(ask: Ask) -> AsyncIterator[str]:
        async with (
            client(ask) as made,
            await made.chat.completions.create(**_arguments(ask)) as chunks,
        ):
            async for chunk in chunks:
                for part in shown(chunk):
                    yield part

    return astream
