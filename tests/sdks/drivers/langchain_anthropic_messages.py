from __future__ import annotations

from typing import Any

import langchain_anthropic

from tests.sdks.drivers.langchain_models import langchain
from tests.sdks.wires.messages import MESSAGES

__all__ = ["DRIVER"]

MODEL: Any = langchain_anthropic.ChatAnthropic

DRIVER = langchain(
    MESSAGES,
    lambda ask: MODEL(
        model="claude-sonnet-5-5", base_url=ask.url, api_key="sk-ant-test", max_retries=0
    ),
)
