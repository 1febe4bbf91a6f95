from __future__ import annotations

from asyncio import get_event_loop
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import openai
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.sdks.driver import Ask, Driver, called
from tests.sdks.drivers.openai_chat import client
from tests.sdks.wires import TOOL
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


def _agent(made: Any, ask: Ask, calls: list[str]) -> Any:
    model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=made))
    agent: Any = Agent(model)
    if ask.tool:

        @agent.tool_plain(name=TOOL)
        def get_weather(city: str) -> str:
            calls.append(called(TOOL, city))
            return "sunny"

    return agent


def stream(ask: Ask) -> Iterator[str]:
    calls: list[str] = []
    # It has no sync client: its sync way runs the async one in an event loop of its own.
    made = client(openai.AsyncOpenAI, ask)
    agent = _agent(made, ask, calls)
    try:
        with agent.run_stream_sync(ask.prompt) as result:
            yield from result.stream_text(delta=True, debounce_by=None)
        yield from calls
    finally:
        with closing(get_event_loop()) as loop:
            loop.run_until_complete(made.close())


async def astream(ask: Ask) -> AsyncIterator[str]:
    calls: list[str] = []
    async with client(openai.AsyncOpenAI, ask) as made:
        agent = _agent(made, ask, calls)
        async with agent.run_stream(ask.prompt) as result:
            async for part in result.stream_text(delta=True, debounce_by=None):
                yield part
        for call in calls:
            yield call


DRIVER = Driver(CHAT, stream, astream)
