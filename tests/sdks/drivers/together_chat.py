from __future__ import annotations

import together

from tests.sdks.drivers.chats import chat

__all__ = ["DRIVER"]

DRIVER = chat(
    lambda ask: together.Together(base_url=f"{ask.url}/v1", api_key="test", max_retries=0),
    lambda ask: together.AsyncTogether(base_url=f"{ask.url}/v1", api_key="test", max_retries=0),
)
