from __future__ import annotations

import openai

from tests.sdks.drivers.chats import chat
from tests.sdks.drivers.openai_chat import client

__all__ = ["DRIVER"]

DRIVER = chat(
    None,
    lambda ask: client(openai.AsyncOpenAI, ask, http_client=openai.DefaultAioHttpClient()),
)
