from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import agents
import openai

from tests.sdks.driver import Ask, Driver, called
from tests.sdks.drivers.openai_chat import client
from tests.sdks.wires import TOOL
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


async def astream(ask: Ask) -> AsyncIterator[str]:
    calls: list[str] = []

    def get_weather(city: str) -> str:
        calls.append(called(TOOL, city))
        return "sunny"

    async with client(openai.AsyncOpenAI, ask) as made:
        model = agents.OpenAIChatCompletionsModel("gpt-4o-mini", made)
        tools: list[Any] = [agents.function_tool(get_weather)] if ask.tool else []
        agent = agents.Agent("weather", model=model, tools=tools)
        run = agents.Runner.run_streamed(
            agent, ask.prompt, run_config=agents.RunConfig(tracing_disabled=True)
        )
        try:
            async for event in run.stream_events():
                if event.type == "raw_response_event":
                    data: Any = event.data
                    if data.type == "response.output_text.delta":
                        yield data.delta
        finally:
            run.cancel()
        for call in calls:
            yield call


DRIVER = Driver(CHAT, None, astream)
