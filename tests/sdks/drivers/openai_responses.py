from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai

from tests.sdks.driver import WEATHER, Ask, Driver, called
from tests.sdks.drivers.openai_chat import client
from tests.sdks.wires import TOOL
from tests.sdks.wires.responses import RESPONSES

__all__ = ["DRIVER"]


def _arguments(ask: Ask) -> dict[str, Any]:
    tool = {"type": "function", "name": TOOL, "parameters": WEATHER, "strict": False}
    tools = {"tools": [tool]} if ask.tool else {}
    return {"model": "gpt-4o-mini", "input": ask.prompt, "stream": True, **tools}


def _shown(event: Any) -> Iterator[str]:
    if event.type == "response.output_text.delta":
        yield event.delta
    elif event.type == "response.function_call_arguments.delta":
        yield called("", event.delta)
    elif event.type == "response.function_call_arguments.done":
        yield called(event.name, event.arguments)


def stream(ask: Ask) -> Iterator[str]:
    with (
        client(openai.OpenAI, ask) as made,
        made.responses.create(**_arguments(ask)) as events,
    ):
        for event in events:
            yield from _shown(event)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with (
        client(openai.AsyncOpenAI, ask) as made,
        await made.responses.create(**_arguments(ask)) as events,
    ):
        async for event in events:
            for part in _shown(event):
                yield part


DRIVER = Driver(RESPONSES, stream, astream)
