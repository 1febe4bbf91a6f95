from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import together

from tests.sdks.driver import Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.drivers.openai_chat import arguments
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


def _client(made: Any, ask: Ask) -> Any:
    return made(base_url=f"{ask.url}/v1", api_key="test", max_retries=0)


def stream(ask: Ask) -> Iterator[str]:
    with (
        _client(together.Together, ask) as made,
        made.chat.completions.create(**arguments(ask)) as chunks,
    ):
        for chunk in chunks:
            yield from shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with (
        _client(together.AsyncTogether, ask) as made,
        await made.chat.completions.create(**arguments(ask)) as chunks,
    ):
        async for chunk in chunks:
            for part in shown(chunk):
                yield part


DRIVER = Driver(CHAT, stream, astream)
