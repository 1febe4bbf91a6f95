from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import dspy
from dspy.lm15 import FunctionTool, Message, Request

from tests.sdks.driver import WEATHER, Ask, Driver
from tests.sdks.drivers.deltas import shown
from tests.sdks.wires import TOOL
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


class _Says(dspy.Module):  # type: ignore[misc]
    def __init__(self, ask: Ask) -> None:
        super().__init__()
        model = "openai/gpt-4o-mini"
        self._lm = dspy.LM(
            model,
            api_base=f"{ask.url}/v1",
            api_key="sk-test",
            cache=False,
            num_retries=0,
        )
        tools = (FunctionTool(name=TOOL, parameters=WEATHER),) if ask.tool else ()
        self._request = Request(model=model, messages=(Message.user(ask.prompt),), tools=tools)

    def forward(self) -> Any:
        return dspy.Prediction(said=self._lm(self._request))

    async def aforward(self) -> Any:
        return dspy.Prediction(said=await self._lm.acall(self._request))


def stream(ask: Ask) -> Iterator[str]:
    for chunk in dspy.streamify(_Says(ask), async_streaming=False)():
        if not isinstance(chunk, dspy.Prediction):
            yield from shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    # In a task of its own, which is cancelled: dspy's stream does not stand being closed.
    parts: asyncio.Queue[str | None] = asyncio.Queue()

    async def read() -> None:
        try:
            async for chunk in dspy.streamify(_Says(ask), is_async_program=True)():
                if not isinstance(chunk, dspy.Prediction):
                    for part in shown(chunk):
                        parts.put_nowait(part)
        finally:
            parts.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        while (part := await parts.get()) is not None:
            yield part
        await reading
    finally:
        reading.cancel()
        await asyncio.wait([reading])


DRIVER = Driver(CHAT, stream, astream)
