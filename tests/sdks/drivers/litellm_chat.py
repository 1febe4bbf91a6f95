from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import litellm

from tests.sdks.driver import FUNCTION, Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


def _arguments(ask: Ask) -> dict[str, Any]:
    return {
        "model": "openai/gpt-4o-mini",
        "api_base": f"{ask.url}/v1",
        "api_key": "sk-test",
        "messages": [{"role": "user", "content": ask.prompt}],
        "stream": True,
        "max_retries": 0,
        "tools": [FUNCTION] if ask.tool else None,
    }


def stream(ask: Ask) -> Iterator[str]:
    for chunk in litellm.completion(**_arguments(ask)):
        yield from shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    chunks = await litellm.acompletion(**_arguments(ask))
    async with contextlib.aclosing(chunks):
        async for chunk in chunks:
            for part in shown(chunk):
                yield part


DRIVER = Driver(CHAT, stream, astream)
