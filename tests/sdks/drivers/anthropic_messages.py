from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic

from tests.sdks.driver import WEATHER, Ask, Driver, called
from tests.sdks.wires import TOOL
from tests.sdks.wires.messages import MESSAGES

__all__ = ["DRIVER", "arguments", "client", "shown"]


def client(made: Any, ask: Ask, **options: Any) -> Any:
    return made(base_url=ask.url, api_key="sk-ant-test", max_retries=0, **options)


def arguments(ask: Ask) -> dict[str, Any]:
    tool = {"name": TOOL, "description": "The weather now.", "input_schema": WEATHER}
    tools = {"tools": [tool]} if ask.tool else {}
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": ask.prompt}],
        "stream": True,
        **tools,
    }


def shown(event: Any) -> Iterator[str]:
    if event.type == "content_block_start" and event.content_block.type == "tool_use":
        yield called(event.content_block.name, "")
    elif event.type == "content_block_delta":
        delta = event.delta
        yield delta.text if delta.type == "text_delta" else called("", delta.partial_json)


def stream(ask: Ask) -> Iterator[str]:
    with (
        client(anthropic.Anthropic, ask) as made,
        made.messages.create(**arguments(ask)) as events,
    ):
        for event in events:
            yield from shown(event)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with (
        client(anthropic.AsyncAnthropic, ask) as made,
        await made.messages.create(**arguments(ask)) as events,
    ):
        async for event in events:
            for part in shown(event):
                yield part


DRIVER = Driver(MESSAGES, stream, astream)
