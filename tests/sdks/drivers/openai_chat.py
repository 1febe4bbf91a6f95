from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai

from tests.sdks.driver import FUNCTION, Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER", "arguments", "client"]


def client(made: Any, ask: Ask, **options: Any) -> Any:
    return made(base_url=f"{ask.url}/v1", api_key="sk-test", max_retries=0, **options)


def arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    messages = [{"role": "user", "content": ask.prompt}]
    return {"model": "gpt-4o-mini", "messages": messages, "stream": True, **tools}


def stream(ask: Ask) -> Iterator[str]:
    with (
        client(openai.OpenAI, ask) as made,
        made.chat.completions.create(**arguments(ask)) as chunks,
    ):
        for chunk in chunks:
            yield from shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with (
        client(openai.AsyncOpenAI, ask) as made,
        await made.chat.completions.create(**arguments(ask)) as chunks,
    ):
        async for chunk in chunks:
            for part in shown(chunk):
                yield part


DRIVER = Driver(CHAT, stream, astream)
