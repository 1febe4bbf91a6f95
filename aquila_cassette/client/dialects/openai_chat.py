"""OpenAI's chat completions, and every server that speaks them.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.client.dialects.ask import extended
from aquila_cassette.client.dialects.endpoint import Endpoint, Provider
from aquila_cassette.dialects.lenient import as_str
from aquila_cassette.dialects.openai_chat import OPENAI_CHAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.client.dialects.ask import Ask, Outcome
    from aquila_cassette.dialects.message import IdentifiedToolCall

__all__ = ["CHAT", "OPENAI"]


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


OPENAI = Provider("openai", "OPENAI", "https://api.openai.com/v1", _headers)


def _body(ask: Ask) -> dict[str, Any]:
    said: list[dict[str, Any]] = [*ask.messages]
    if ask.instructions:
        said.insert(0, {"role": "system", "content": ask.instructions})
    tools = [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in ask.tools
    ]
    body = {
        "model": ask.model,
        "messages": said,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": tools or None,
        "max_completion_tokens": ask.max_tokens,
        "store": ask.store or None,
    }
    return extended(body, ask.extra_body)


class _Turn:
    def take(self, message: dict[str, Any]) -> None:
        pass

    def messages(self, text: str, calls: Sequence[IdentifiedToolCall]) -> list[dict[str, Any]]:
        spoken: dict[str, Any] = {"role": "assistant", "content": text or None}
        if calls:
            spoken["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in calls
            ]
        return [spoken]


def _results(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [{"role": "tool", "tool_call_id": one.id, "content": one.result} for one in outcomes]


CHAT = Endpoint(
    name="chat",
    provider=OPENAI,
    dialect=OPENAI_CHAT,
    path=lambda _ask: "/chat/completions",
    body=_body,
    turn=_Turn,
    results=_results,
    id_of=lambda message: as_str(message.get("id")),
    # Servers that speak OpenAI's dialect keep a few words of their own.
    completions=frozenset({"stop", "tool_calls", "function_call", "eos", "eos_token", "end_turn"}),
    refusals=frozenset({"content_filter"}),
    ends_by_reason=True,
    stored="/chat/completions",
)
