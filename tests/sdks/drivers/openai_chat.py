from __future__ import annotations

from typing import Any

import openai

from tests.sdks.driver import Ask
from tests.sdks.drivers.chats import chat

__all__ = ["DRIVER", "client"]


def client(made: Any, ask: Ask, **options: Any) -> Any:
    return made(base_url=f"{ask.url}/v1", api_key="sk-test", max_retries=0, **options)


DRIVER = chat(
    lambda ask: client(openai.OpenAI, ask),
    lambda ask: client(openai.AsyncOpenAI, ask),
)
