from __future__ import annotations

import groq

from tests.sdks.drivers.chats import chat

__all__ = ["DRIVER"]

DRIVER = chat(
    lambda ask: groq.Groq(base_url=ask.url, api_key="gsk-test", max_retries=0),
    lambda ask: groq.AsyncGroq(base_url=ask.url, api_key="gsk-test", max_retries=0),
)
