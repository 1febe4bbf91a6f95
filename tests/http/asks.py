"""One question asked as the users of openai and anthropic ask it, of a sync or an async client."""

from __future__ import annotations

from typing import Any

__all__ = ["ask_chat", "ask_messages", "ask_responses"]

_PROMPT = [{"role": "user", "content": "Say hello"}]


def ask_chat(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o-mini", messages=_PROMPT, stream=True)


def ask_responses(client: Any) -> Any:
    return client.responses.create(model="gpt-4o-mini", input="Say hello", stream=True)


def ask_messages(client: Any) -> Any:
    return client.messages.create(
        model="claude-sonnet-5-5", max_tokens=100, messages=_PROMPT, stream=True
    )
