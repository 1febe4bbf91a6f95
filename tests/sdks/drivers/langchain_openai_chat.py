from __future__ import annotations

from typing import Any

import langchain_openai

from tests.sdks.drivers.langchain_models import langchain
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]

MODEL: Any = langchain_openai.ChatOpenAI

DRIVER = langchain(
    CHAT,
    lambda ask: MODEL(
        model="gpt-4o-mini", base_url=f"{ask.url}/v1", api_key="sk-test", max_retries=0
    ),
)
