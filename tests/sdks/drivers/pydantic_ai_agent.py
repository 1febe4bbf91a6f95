from __future__ import annotations

from collections.abc import AsyncIterator
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


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with client(openai.AsyncOpenAI, ask) as made:
        model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=made))
        agent: Any = Agent(model)
        calls: list[str] = []
        if ask.tool:

            @agent.tool_plain(name=TOOL)
            def get_weather(city: str) -> str:
                calls.append(called(TOOL, city))
                return "sunny"

        async with agent.run_stream(ask.prompt) as result:
            async for part in result.stream_text(delta=True, debounce_by=None):
                yield part
        for call in calls:
            yield call


DRIVER = Driver(CHAT, None, astream)
