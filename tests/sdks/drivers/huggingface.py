from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from huggingface_hub import AsyncInferenceClient, InferenceClient

from tests.sdks.driver import FUNCTION, Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


def _arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    messages = [{"role": "user", "content": ask.prompt}]
    return {"model": "llama", "messages": messages, "stream": True, **tools}


def stream(ask: Ask) -> Iterator[str]:
    with InferenceClient(base_url=ask.url, api_key="hf-test") as client:
        chunks = client.chat_completion(**_arguments(ask))
        with contextlib.closing(chunks):
            for chunk in chunks:
                yield from shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with AsyncInferenceClient(base_url=ask.url, api_key="hf-test") as client:
        chunks = await client.chat_completion(**_arguments(ask))
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                for part in shown(chunk):
                    yield part


DRIVER = Driver(CHAT, stream, astream)
