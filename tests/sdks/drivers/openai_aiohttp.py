from __future__ import annotations

from collections.abc import AsyncIterator

import openai

from tests.sdks.driver import Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.drivers.openai_chat import arguments, client
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with (
        client(openai.AsyncOpenAI, ask, http_client=openai.DefaultAioHttpClient()) as made,
        await made.chat.completions.create(**arguments(ask)) as chunks,
    ):
        async for chunk in chunks:
            for part in shown(chunk):
                yield part


DRIVER = Driver(CHAT, None, astream)
