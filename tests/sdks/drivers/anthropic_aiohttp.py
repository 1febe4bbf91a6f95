from __future__ import annotations

from collections.abc import AsyncIterator

import anthropic

from tests.sdks.driver import Ask, Driver
from tests.sdks.drivers.anthropic_messages import arguments, client, shown
from tests.sdks.wires.messages import MESSAGES

__all__ = ["DRIVER"]


async def astream(ask: Ask) -> AsyncIterator[str]:
    http_client = anthropic.DefaultAioHttpClient()
    async with (
        client(anthropic.AsyncAnthropic, ask, http_client=http_client) as made,
        await made.messages.create(**arguments(ask)) as events,
    ):
        async for event in events:
            for part in shown(event):
                yield part


DRIVER = Driver(MESSAGES, None, astream)
